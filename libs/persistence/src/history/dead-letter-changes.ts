import type { Queryable } from '../migrate.js';
import {
  DISCARDS,
  ITS_SUBSCRIPTIONS,
  UNDER_WAY,
  WANTED,
  WANTED_PARAMETERS,
  wantedParameters,
  type DeadLetterFilter,
} from './dead-letter-sql.js';

/** "hdlt" as a number: whoever changes dead letters of a tenant holds this advisory lock meanwhile. */
const LOCK_KIND = 0x68646c74;

/**
 * What people do about dead letters, a batch at a time. Each is one statement in a transaction of the caller, and takes
 * what no other has taken: a repeat of the same request goes on where it ended.
 */
export class DeadLetterChanges {
  constructor(private readonly transaction: Queryable) {}

  /** Until the transaction ends nobody else changes this tenant's. */
  async lock(tenantId: string): Promise<void> {
    await this.transaction.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK_KIND, tenantId]);
  }

  /**
   * Until the transaction ends the replay neither begins nor ends.
   * @returns false where it has done so already: what is chosen now would come too late
   */
  async waits(replayId: string): Promise<boolean> {
    const rows = await this.transaction.query<unknown[]>(
      `SELECT 1 FROM replays WHERE id = $1 AND status = 'pending' FOR UPDATE`,
      [replayId],
    );
    return rows.length > 0;
  }

  /**
   * Picks those that can be sent for a replay.
   * @param lows where the log begins, by partition
   * @returns how many
   */
  choose(
    filter: DeadLetterFilter,
    replayId: string,
    lows: Readonly<Record<string, number>>,
    limit: number,
  ): Promise<number> {
    return this.count(CHOOSE, [...wantedParameters(filter), limit, replayId, JSON.stringify(lows)]);
  }

  /** @returns how many were discarded */
  discard(filter: DeadLetterFilter, auditId: string, limit: number): Promise<number> {
    return this.count(DISCARD, [...wantedParameters(filter), limit, auditId]);
  }

  /** By partition, where what was chosen for a replay begins and ends; `to` is exclusive. */
  async chosen(replayId: string): Promise<{ partition: number; from: number; to: number }[]> {
    const rows = await this.transaction.query<{ partition: number; first: string; last: string }[]>(
      `SELECT event_partition AS partition, min(event_offset) AS first, max(event_offset) AS last
         FROM replay_choices WHERE replay_id = $1 GROUP BY 1`,
      [replayId],
    );
    return rows.map(({ partition, first, last }) => ({ partition, from: Number(first), to: Number(last) + 1 }));
  }

  private async count(sql: string, parameters: unknown[]): Promise<number> {
    const [row] = await this.transaction.query<{ count: string }[]>(sql, parameters);
    return Number(row?.count ?? 0);
  }
}

const parameter = (n: number): string => `$${WANTED_PARAMETERS + n}`;

const CHOOSE = `
  WITH chosen AS (
    INSERT INTO replay_choices (replay_id, event_partition, event_offset, subscription_id, delivery_id, event_at, letter_at)
    SELECT ${parameter(2)}::text, d.event_partition, d.event_offset, d.subscription_id, d.delivery_id, d.event_at, d.updated_at
      FROM (${ITS_SUBSCRIPTIONS}) s JOIN deliveries d ON d.subscription_id = s.id ${DISCARDS}
     WHERE ${WANTED} AND s.status = 'enabled' AND x.audit_id IS NULL AND NOT ${UNDER_WAY}
       AND d.event_offset >= coalesce((${parameter(3)}::jsonb->>(d.event_partition::text))::bigint, 0)
     LIMIT ${parameter(1)}
    RETURNING 1
  ) SELECT count(*) FROM chosen`;

const DISCARD = `
  WITH discarded AS (
    INSERT INTO dead_letter_discards AS known (delivery_id, event_at, letter_at, audit_id)
    SELECT d.delivery_id, d.event_at, d.updated_at, ${parameter(2)}::text
      FROM (${ITS_SUBSCRIPTIONS}) s JOIN deliveries d ON d.subscription_id = s.id ${DISCARDS}
     WHERE ${WANTED} AND x.audit_id IS NULL AND NOT ${UNDER_WAY}
     LIMIT ${parameter(1)}
    ON CONFLICT (delivery_id, event_at) DO UPDATE SET letter_at = excluded.letter_at, audit_id = excluded.audit_id
    RETURNING 1
  ) SELECT count(*) FROM discarded`;
