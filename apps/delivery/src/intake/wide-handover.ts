import type { EventEnvelope, LogPosition } from '@hookline/contracts';
import type { RecordParts } from '@hookline/domain';
import type { Assignment } from '@hookline/kafka';
import type { Clock } from '@hookline/platform';
import { NotOwner, type FirstRecord } from '../delivery.js';
import { allDurable } from '../handover/all-durable.js';
import type { Handover } from '../handover/handover.js';
import { Slots } from '../lanes/slots.js';
import type { Target } from '../subscriptions/target.js';
import { widePieces, type WidePiece } from './wide-pieces.js';

/** What a very wide event matched. */
export interface WideMatch {
  readonly targets: readonly Target[];
  readonly ids: readonly string[];
  /** Those that are served in order: they go one by one, for in the lane they have a place in a line. */
  readonly ordered: readonly Target[];
  /** All others. */
  readonly pieces: readonly WidePiece[];
}

/** An event on its way to the lanes. */
export interface WideEvent {
  readonly event: EventEnvelope;
  readonly source: LogPosition;
  readonly body: Buffer;
  readonly assignment: Assignment;
  readonly firstRecord: FirstRecord;
}

/** An event that matches 10,000 is 300 KB of ids on its way: a few fill the producer's rounds, more only memory. */
const EVENTS_AT_ONCE = 8;
/** Kinds of wide events of which the match is remembered. */
const REMEMBERED = 16;

/** Hands very wide events over, in few records and a few events at a time. */
export class WideHandover {
  private readonly slots = new Slots(EVENTS_AT_ONCE);
  /** By tenant and type, the latest last: thousands of events that match the same share what they matched. */
  private readonly recent = new Map<string, WideMatch>();

  /** @param partitionOf a subscription's partition in every lane */
  constructor(
    private readonly handover: Handover,
    private readonly clock: Clock,
    private readonly owns: (assignment: Assignment) => boolean,
    private readonly partitionOf: (subscriptionId: string) => number,
  ) {}

  match({ tenant, type }: EventEnvelope, targets: readonly Target[]): WideMatch {
    const key = `${tenant}\0${type}`;
    let match = this.recent.get(key);
    if (match === undefined || !areSame(match.targets, targets)) match = this.divide(targets);
    this.recent.delete(key);
    this.recent.set(key, match);
    for (const [oldest] of this.recent) if (this.recent.size > REMEMBERED) this.recent.delete(oldest);
    return match;
  }

  /** Resolves when the pieces that are open are in the lanes. @throws NotOwner, NotDurable */
  hand({ pieces }: WideMatch, parts: RecordParts, wide: WideEvent): Promise<void> {
    return this.slots.each([wide], async ({ event, source, body, assignment, firstRecord }) => {
      if (!this.owns(assignment)) throw new NotOwner();
      const windowStart = this.clock.now();
      const written = pieces
        .filter(({ name }) => parts.open.has(name))
        .map(({ partition, subscriptionIds, name }) =>
          this.handover
            .wideToLane({ event, source, windowStart, subscriptionIds }, body, partition, assignment)
            .then(() => parts.complete(name)),
        );
      await allDurable([this.handover.matched(event, source, firstRecord), ...written]);
    });
  }

  private divide(targets: readonly Target[]): WideMatch {
    const isOrdered = (target: Target): boolean => target.record.ordering !== undefined;
    const others = targets.filter((target) => !isOrdered(target)).map(({ id }) => id);
    const ids = targets.map(({ id }) => id);
    return { targets, ids, ordered: targets.filter(isOrdered), pieces: widePieces(others, this.partitionOf) };
  }
}

function areSame(some: readonly Target[], others: readonly Target[]): boolean {
  return some.length === others.length && some.every((target, i) => target === others[i]);
}
