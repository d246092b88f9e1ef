import { TOPICS, type HeldRangeReason } from '@hookline/contracts';
import type { Output } from '@hookline/kafka';
import { type Session, unlessAborted } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import type { LogBounds } from '../replays/resolve-ranges.js';
import { isBehind } from './behind.js';
import type { Keeper } from './keepers.js';
import { endOf, heldRangeLetter, type LostDelivery, type LostRange } from './letters.js';

/** Deliveries that one look takes. */
const BATCH = 1_000;
/** Between two looks where nothing was found, ms: the log lets go of something every few minutes at most. */
const LOOK_MS = 15_000;

interface HeldDelivery extends LostDelivery {
  tenantId: string;
  subscriptionId: string;
  since: Date;
}

/**
 * Ends deliveries that were on their way when their subscription was paused or disabled, are held one by one since then,
 * and will never come: the log has let go of their events, or their subscription is deleted. What stands in the log where a
 * subscription takes nothing is the span keeper's. The letters first, then the ends, for history; after a crash what has no
 * end yet gets another letter.
 */
export class HeldKeeper implements Keeper {
  readonly name = 'held-keeper';
  private nextLook = -Infinity;
  /** The ends of `hookline.attempts` after what was written last: before history is there, it would be found again. */
  private written: Record<string, number> | undefined;

  constructor(
    private readonly log: Pick<LogBounds, 'bounds'>,
    private readonly output: Output,
    private readonly clock: Clock,
  ) {}

  async round(session: Session, signal: AbortSignal): Promise<void> {
    if (this.clock.now() < this.nextLook) return;
    if (this.written && (await isBehind(session, TOPICS.attempts, [this.written]))) return;
    const bounds = await this.log.bounds(TOPICS.events);
    const lows = JSON.stringify(Object.fromEntries(bounds.map(({ partition, low }) => [partition, low])));
    const found = [
      await this.bury(await held(session, GONE, [lows, BATCH]), 'let-go', signal),
      await this.bury(await held(session, DELETED, [BATCH]), 'subscription-deleted', signal),
    ].reduce((sum, count) => sum + count, 0);
    if (found === 0) this.nextLook = this.clock.now() + LOOK_MS;
    else this.written = await this.ends();
  }

  /** @returns how many */
  private async bury(
    deliveries: readonly HeldDelivery[],
    reason: HeldRangeReason,
    signal: AbortSignal,
  ): Promise<number> {
    signal.throwIfAborted();
    const letters = runsOf(deliveries).map(({ of, range }) => heldRangeLetter(of, range, reason));
    await unlessAborted(Promise.all(letters.map((letter) => this.output.produce(letter))), signal);
    const ends = deliveries.map((delivery) => endOf(delivery, delivery.subscriptionId, reason));
    await unlessAborted(Promise.all(ends.map((end) => this.output.produce(end))), signal);
    return deliveries.length;
  }

  private async ends(): Promise<Record<string, number>> {
    const bounds = await this.log.bounds(TOPICS.attempts);
    return Object.fromEntries(bounds.map(({ partition, high }) => [partition, high]));
  }
}

/** Neighbours in the log get one letter. */
function runsOf(deliveries: readonly HeldDelivery[]): { of: HeldDelivery; range: LostRange }[] {
  const runs: { of: HeldDelivery; range: LostRange }[] = [];
  for (const delivery of deliveries) {
    const { partition, offset } = delivery.position;
    const last = runs.at(-1);
    const isNext =
      last?.of.subscriptionId === delivery.subscriptionId &&
      last.range.partition === partition &&
      last.range.to === offset;
    if (isNext) last.range.to = offset + 1;
    else runs.push({ of: delivery, range: { partition, from: offset, to: offset + 1 } });
  }
  return runs;
}

async function held(session: Session, sql: string, parameters: unknown[]): Promise<HeldDelivery[]> {
  const rows = await session.query<HeldRow>(sql, parameters);
  return rows.map((row) => ({
    position: { partition: row.partition, offset: Number(row.offset), at: row.at.getTime() },
    event: { tenant: row.tenant_id, id: row.event_id, type: row.type },
    replayId: row.replay_id,
    tenantId: row.tenant_id,
    subscriptionId: row.subscription_id,
    since: row.since,
  }));
}

interface HeldRow extends Record<string, unknown> {
  subscription_id: string;
  partition: number;
  offset: string;
  at: Date;
  tenant_id: string;
  event_id: string;
  type: string;
  replay_id: string | null;
  since: Date;
}

const HELD = `
  SELECT d.subscription_id, d.event_partition AS partition, d.event_offset AS "offset", d.event_at AS at, d.tenant_id,
         d.event_id, d.type, d.replay_id, d.updated_at AS since`;

/** A replay brings some of its tenant's, and history may not know of those yet; after a week nobody waits for that. */
const IN_ORDER = `
     AND NOT EXISTS (
       SELECT FROM replays r WHERE r.tenant_id = d.tenant_id
          AND (r.finished_at IS NULL OR (r.finished_at > now() - interval '7 days'
               AND (SELECT count(*) FROM replay_deliveries b WHERE b.replay_id = r.id) < r.sent)))
   ORDER BY d.subscription_id, d.event_partition, d.event_offset`;

/** $1: where the log begins, by partition. */
const GONE = `${HELD}
    FROM jsonb_each_text($1::jsonb) AS low(partition, start)
    JOIN deliveries d ON d.event_partition = low.partition::integer AND d.event_offset < low.start::bigint
   WHERE d.state = 'held' ${IN_ORDER} LIMIT $2`;

const DELETED = `${HELD}
    FROM deliveries d JOIN subscriptions s ON s.id = d.subscription_id
   WHERE d.state = 'held' AND s.status = 'deleted' ${IN_ORDER} LIMIT $1`;
