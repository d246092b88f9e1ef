import { TOPICS, type HeldRangeReason } from '@hookline/contracts';
import type { Output } from '@hookline/kafka';
import type { Session } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import { endsOfAttempts, isRecordedUpTo } from '../replays/recorded.js';
import type { LogBounds } from '../replays/resolve-ranges.js';
import type { Keeper } from './keepers.js';
import { deletedAfter, goneOf, heldBy, type HeldDelivery } from './held-deliveries.js';
import { buryAll, endOf, heldRangeLetter, type LostRange } from './letters.js';

/** Deliveries that one look takes, for each of the two reasons. */
const BATCH = 1_000;
/** Between two looks where nothing was found, ms: the log lets go of something every few minutes at most. */
const LOOK_MS = 15_000;
/** Deleted subscriptions that one look goes through. */
const SUBSCRIPTIONS = 100;

/**
 * Ends deliveries that were on their way when their subscription was paused or disabled, are held one by one since then,
 * and will never come: the log has let go of their events, or their subscription is deleted. What stands in the log where a
 * subscription takes nothing is the span keeper's. It looks only once history has all outcomes that were written before, for
 * what it has as held may be delivered since; that is also so where it is rebuilt. The letters first, then the ends, for
 * history; after a crash what has no end yet gets another letter.
 */
export class HeldKeeper implements Keeper {
  readonly name = 'held-keeper';
  private nextLook = -Infinity;
  /** The ends of `hookline.attempts` that history must have for the next look. */
  private needed: Record<string, number> | undefined;
  /** The last of the deleted subscriptions that were gone through; they are gone through again and again. */
  private after = '';

  constructor(
    private readonly log: Pick<LogBounds, 'bounds'>,
    private readonly output: Output,
    private readonly clock: Clock,
  ) {}

  async round(session: Session, signal: AbortSignal): Promise<void> {
    if (this.clock.now() < this.nextLook) return;
    this.needed ??= await endsOfAttempts(this.log);
    if (!(await isRecordedUpTo(session, this.needed))) return;
    this.needed = undefined;
    const gone = await this.buryGone(session, signal);
    const deleted = await this.buryDeleted(session, signal);
    if (gone + deleted === 0) this.nextLook = this.clock.now() + LOOK_MS;
  }

  private async buryGone(session: Session, signal: AbortSignal): Promise<number> {
    const bounds = await this.log.bounds(TOPICS.events);
    const lows = JSON.stringify(Object.fromEntries(bounds.map(({ partition, low }) => [partition, low])));
    return this.bury(await goneOf(session, lows, BATCH), 'let-go', signal);
  }

  private async buryDeleted(session: Session, signal: AbortSignal): Promise<number> {
    const ids = await deletedAfter(session, this.after, SUBSCRIPTIONS);
    const found = ids.length === 0 ? [] : await heldBy(session, ids, BATCH);
    // Those of which there may be more come first the next time.
    if (found.length < BATCH) this.after = ids.length < SUBSCRIPTIONS ? '' : (ids.at(-1) ?? '');
    return this.bury(found, 'subscription-deleted', signal);
  }

  private async bury(
    deliveries: readonly HeldDelivery[],
    reason: HeldRangeReason,
    signal: AbortSignal,
  ): Promise<number> {
    const letters = runsOf(deliveries).map(({ of, range }) => heldRangeLetter(of, range, reason));
    const ends = deliveries.map((delivery) => endOf(delivery, delivery.subscriptionId, reason));
    await buryAll(this.output, letters, ends, signal);
    return deliveries.length;
  }
}

/** Neighbours in the log get one letter. */
function runsOf(deliveries: readonly HeldDelivery[]): { of: HeldDelivery; range: LostRange }[] {
  const runs: { of: HeldDelivery; range: LostRange }[] = [];
  for (const delivery of deliveries.toSorted(inTheLog)) {
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

/** By subscription, in the order of the log. */
function inTheLog(a: HeldDelivery, b: HeldDelivery): number {
  if (a.subscriptionId !== b.subscriptionId) return a.subscriptionId < b.subscriptionId ? -1 : 1;
  return a.position.partition - b.position.partition || a.position.offset - b.position.offset;
}
