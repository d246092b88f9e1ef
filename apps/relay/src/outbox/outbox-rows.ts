import type { Session } from '@hookline/persistence';

/** An event as it stands in the outbox. */
export interface OutboxRow {
  /** A bigint. */
  seq: string;
  tenant: string | null;
  id: string;
  type: string;
  key: string | null;
  /** RFC 3339, UTC. */
  time: string;
  /** JSON as it was written. */
  data: string;
}

/** A row that can't be an event, and why. */
export interface Refusal {
  seq: string;
  id: string;
  reason: string;
}

export interface BatchLimits {
  rows: number;
  /** Of data; the first row may have more. */
  bytes: number;
}

/** As text: `json` would be parsed by the client, and then printed in another way than it was written. */
const OLDEST = `
  SELECT seq, tenant, id, type, key, data,
    to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS time
  FROM (
    SELECT oldest.*, octet_length(data) AS bytes, sum(octet_length(data)) OVER (ORDER BY seq) AS until
    FROM (
      SELECT seq, tenant, id, type, key, time, data::text AS data
      FROM hookline_outbox WHERE shard = ANY($1::int[]) ORDER BY seq LIMIT $2
    ) oldest
  ) counted
  WHERE until - bytes < $3 ORDER BY seq`;

/** One statement, so that a row is in one of the tables at any time. */
const SETTLE = `
  WITH refusal AS (
    SELECT * FROM unnest($2::bigint[], $3::text[]) AS refusal (seq, reason)
  ), refused AS (
    DELETE FROM hookline_outbox o USING refusal WHERE o.seq = refusal.seq RETURNING o.*, refusal.reason
  ), kept AS (
    INSERT INTO hookline_outbox_refused (seq, tenant, id, type, key, time, data, written_at, reason)
    SELECT seq, tenant, id, type, key, time, data, written_at, reason FROM refused ORDER BY seq
  )
  DELETE FROM hookline_outbox WHERE seq = ANY($1::bigint[])`;

/**
 * The first rows of these shards that are visible now. There is no cursor: a row that was written early and is committed
 * late has a lower number than rows that are gone already, and is among the first then.
 */
export function oldestRows(
  session: Pick<Session, 'query'>,
  shards: readonly number[],
  limits: BatchLimits,
): Promise<OutboxRow[]> {
  return session.query<OutboxRow & Record<string, unknown>>(OLDEST, [shards, limits.rows, limits.bytes]);
}

/** Deletes what is in the log, and sets aside what can't be. */
export async function settleRows(
  session: Pick<Session, 'query'>,
  relayed: readonly { seq: string }[],
  refusals: readonly Refusal[],
): Promise<void> {
  await session.query(SETTLE, [
    relayed.map(({ seq }) => seq),
    refusals.map(({ seq }) => seq),
    refusals.map(({ reason }) => reason),
  ]);
}
