import { TOPICS } from '@hookline/contracts';
import type { Transaction } from './enqueue.js';
import type { ReplayKind } from './replay.entity.js';

/** PostgreSQL tells whoever runs replays of new ones on this channel. */
export const REPLAY_CHANNEL = 'hookline_replays';

/** A replay that brings a subscription what it has not got. */
export interface CatchUp {
  /** `rpl_…` */
  replayId: string;
  kind: Exclude<ReplayKind, 'replay'>;
  subscriptionId: string;
  tenantId: string;
  /** The version that begins it: what it brings ends where that one holds from. */
  version: number;
  /** Only what was appended since then, ms since the epoch. Absent: all that is held. */
  from?: number;
  /** Also what was given up since then for what the endpoint did, ms since the epoch. Absent: nothing of that. */
  missedSince?: number;
}

const INSERT = `
  INSERT INTO replays (id, tenant_id, kind, subscription_id, status, spec)
  SELECT r->>'id', r->>'tenant', r->>'kind', r->>'subscription', 'pending', r->'spec'
    FROM jsonb_array_elements($1::jsonb) AS r`;

/**
 * Asks for catch-ups in the transaction of the changes that begin them. Which offsets they read is found out later: the
 * publisher adds the position of the version when it knows it.
 */
export async function beginCatchUps(transaction: Transaction, ...catchUps: readonly CatchUp[]): Promise<void> {
  const rows = catchUps.map(({ replayId, kind, subscriptionId, tenantId, version, from, missedSince }) => ({
    id: replayId,
    tenant: tenantId,
    kind,
    subscription: subscriptionId,
    spec: {
      topic: TOPICS.events,
      from: from === undefined ? null : { timestamp: from },
      to: null,
      subscriptionIds: [subscriptionId],
      version,
      ...(missedSince === undefined ? {} : { missedSince }),
    },
  }));
  await transaction.query(INSERT, [JSON.stringify(rows)]);
  await transaction.query(`SELECT pg_notify('${REPLAY_CHANNEL}', '')`);
}

/**
 * Ends what catches up for these subscriptions. What it has not handed over stays held, for the next one to bring. The
 * subscriptions' rows must be locked by now.
 */
export async function cancelCatchUps(transaction: Transaction, subscriptionIds: readonly string[]): Promise<void> {
  await transaction.query(
    `UPDATE replays SET status = 'cancelled', updated_at = now(), finished_at = now()
      WHERE subscription_id = ANY($1) AND kind <> 'replay' AND finished_at IS NULL`,
    [subscriptionIds],
  );
}
