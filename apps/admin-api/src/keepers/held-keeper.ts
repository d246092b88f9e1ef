import { TOPICS, type HeldRangeReason } from '@hookline/contracts';
import type { Output } from '@hookline/kafka';
import type { Session } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import { endsOfAttempts, isRecordedUpTo } from '../replays/recorded.js';
import type { LogBounds } from '../replays/resolve-ranges.js';
import { buryEach } from './burial.js';
import type { Keeper } from './keepers.js';
import { deletedAfter, goneOf, heldBy, type HeldDelivery } from './held-deliveries.js';
import { holdUnbrought } from './unbrought.js';

/** Deliveries that one look takes, for each of the two reasons. */
const BATCH = 1_000;
/** Between two looks where nothing was found, ms: the log lets go of something every few minutes at most. */
const LOOK_MS = 15_000;
/** Deleted subscriptions that one look goes through. */
const SUBSCRIPTIONS = 100;

/**
 * Ends deliveries that were on their way when their subscription was paused or disabled, are held one by one since then,
 * and will never come: the log has let go of their events, or their subscription is deleted. What a catch-up has superseded and
 * not brought is held first. What stands in the log where a subscription takes nothing is the span keeper's; what is held one by
 * one in there has the letter of the span, and gets its end only.
 *
 * It looks only once history has all outcomes that were written before, for what it has as held may be delivered since; that is
 * also so where it is rebuilt. The letters first, then the ends, for history; after a crash what has no end yet gets another
 * letter.
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
    const held = await holdUnbrought(session, this.output, signal);
    const gone = await this.buryGone(session, signal);
    const deleted = await this.buryDeleted(session, signal);
    if (held + gone + deleted === 0) this.nextLook = this.clock.now() + LOOK_MS;
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
    await buryEach(this.output, deliveries, reason, signal);
    return deliveries.length;
  }
}
