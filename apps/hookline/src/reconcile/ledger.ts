import type { DeliveryState, HeldRange, LogPosition, OutcomeRecord } from '@hookline/contracts';
import type { OffsetRange } from '@hookline/kafka';
import type { Match, Matching, MatchKind, Subscribed } from './matching.js';
import { FLAG, PairTable, TOLD, type Told } from './pair-table.js';
import { PartitionEvents } from './partition-events.js';
import { verdictOf, type Verdict } from './verdict.js';

/** What a record is about: an event, by its position, and a subscription. */
export interface About {
  source: LogPosition;
  subscriptionId: string;
}

/** One event and one subscription that it is for. */
export interface Pair {
  row: number;
  partition: number;
  offset: number;
  /** The event's append time, ms since the epoch. */
  at: number;
  subscribed: Subscribed;
}

/** What one look at the log knows besides the ledger. */
export interface Look {
  /** Whether the events' group has not completed an event. */
  isOpen: (partition: number, offset: number) => boolean;
  isCaughtUp: (subscribed: Subscribed, partition: number, offset: number) => boolean;
  isDue: (subscribed: Subscribed, partition: number, offset: number, at: number) => boolean;
  /** All that was told since then is still in `hookline.attempts`; ms since the epoch. */
  toldSince: number;
}

const KINDS: readonly (MatchKind | 'none')[] = ['taken', 'held', 'unclear', 'none'];
const NO_ROWS = { first: 0, count: 0 };
const TOLD_OF: Record<DeliveryState, Told> = {
  pending: TOLD.waits,
  retrying: TOLD.waits,
  'dead-lettered': TOLD.dead,
  held: TOLD.held,
  delivered: TOLD.delivered,
};

const RANK: Record<Told, number> = {
  [TOLD.nothing]: 0,
  [TOLD.waits]: 1,
  [TOLD.dead]: 2,
  [TOLD.held]: 2,
  [TOLD.delivered]: 3,
};

/** What the log says of each event of a range, and of each subscription that it is for. */
export class Ledger {
  readonly pairs = new PairTable();
  readonly counts = { events: 0, duplicates: 0, unreadable: 0, unmatched: 0 };
  private readonly partitions: Map<number, PartitionEvents>;

  constructor(
    ranges: readonly OffsetRange[],
    private readonly matching: Matching,
  ) {
    this.partitions = new Map(ranges.map(({ partition, from, to }) => [partition, new PartitionEvents(from, to)]));
  }

  /** @param matches in the order of their subscriptions' numbers */
  event({ partition, offset, at }: LogPosition, matches: readonly Match[]): void {
    this.counts.events += 1;
    if (matches.length === 0) this.counts.unmatched += 1;
    this.partitions.get(partition)?.set(offset, at, this.pairs.size, matches.length);
    for (const { subscription, kind } of matches) this.pairs.add(subscription, KINDS.indexOf(kind));
  }

  /** Corrects what an event was matched with, for the rows that are given: a version may have been heard of late. */
  rematch(rows: readonly number[], matches: readonly Match[]): void {
    for (const row of rows) {
      const match = matches.find(({ subscription }) => subscription === this.pairs.subscription(row));
      const rest = this.pairs.flags(row) & ~FLAG.kind;
      this.pairs.setFlags(row, rest | KINDS.indexOf(match?.kind ?? 'none'));
    }
  }

  unreadable(): void {
    this.counts.events += 1;
    this.counts.unreadable += 1;
  }

  /** What a record of `hookline.attempts` says. */
  outcome(position: LogPosition, { source, matched, duplicateOf, delivery }: OutcomeRecord): void {
    const events = this.eventsOf(source);
    if (events === undefined) return;
    if (duplicateOf !== undefined && events.markRepeat(source.offset)) this.counts.duplicates += 1;
    for (const id of matched ?? []) {
      const row = this.rowOf({ source, subscriptionId: id });
      if (row !== undefined) this.pairs.mark(row, FLAG.named);
    }
    if (delivery === undefined) return;
    this.tell({ source, subscriptionId: delivery.subscriptionId }, TOLD_OF[delivery.state], position);
  }

  /** A dead letter of one delivery. */
  letter(position: LogPosition, about: About): void {
    this.tell(about, TOLD.dead, position, true);
  }

  /** A dead letter of a whole range. */
  range({ subscriptionId, partition, from, to }: HeldRange): void {
    const events = this.partitions.get(partition);
    if (events === undefined) return;
    for (let offset = Math.max(from, events.from); offset < Math.min(to, events.to); offset += 1) {
      const row = this.rowOf({ source: { partition, offset, at: events.appendedAt(offset) }, subscriptionId });
      if (row !== undefined) this.pairs.mark(row, FLAG.inRange);
    }
  }

  /** A record of a lane that is not complete. What was told must have been taken before: one of before its end is a copy. */
  lane({ at }: LogPosition, about: About): void {
    const row = this.rowOf(about);
    if (row === undefined) return;
    const told = this.pairs.told(row);
    const isEnded = told === TOLD.dead || told === TOLD.held;
    if (!isEnded || at > this.pairs.toldAt(row).at) this.pairs.mark(row, FLAG.inLane);
  }

  /** Forgets which lanes have what: they are read anew. */
  forgetLanes(): void {
    this.pairs.clear(FLAG.inLane);
  }

  /** Each event with each subscription that it is for, but for repeats of an event. What is given is used again. */
  each(look: Look, visit: (pair: Pair, verdict: Verdict) => void): void {
    for (const [partition, events] of this.partitions)
      for (let offset = events.from; offset < events.to; offset += 1) {
        const { first, count } = events.rows(offset);
        if (count === 0 || events.repeats(offset)) continue;
        const at = events.appendedAt(offset);
        const isOpen = look.isOpen(partition, offset);
        for (let row = first; row < first + count; row += 1) {
          if ((this.pairs.flags(row) & FLAG.kind) === KINDS.indexOf('none')) continue;
          const subscribed = this.subscribedOf(row);
          const pair = { row, partition, offset, at, subscribed };
          visit(pair, this.verdictOf(pair, isOpen, look));
        }
      }
  }

  /**
   * Marks what is missing in this look.
   * @returns how many are, and how many of them were so in the look before already
   */
  seek(look: Look): { missing: number; confirmed: number } {
    let missing = 0;
    let confirmed = 0;
    this.each(look, ({ row }, { state }) => {
      const flags = this.pairs.flags(row) & ~(FLAG.sought | FLAG.confirmed);
      if (state !== 'missing') return this.pairs.setFlags(row, flags);
      const before = (this.pairs.flags(row) & FLAG.sought) !== 0;
      this.pairs.setFlags(row, flags | FLAG.sought | (before ? FLAG.confirmed : 0));
      missing += 1;
      confirmed += Number(before);
    });
    return { missing, confirmed };
  }

  isConfirmed(row: number): boolean {
    return (this.pairs.flags(row) & FLAG.confirmed) !== 0;
  }

  /** The rows of one event that were sought. */
  soughtAt(partition: number, offset: number): number[] {
    const rows: number[] = [];
    const { first, count } = this.partitions.get(partition)?.rows(offset) ?? NO_ROWS;
    for (let row = first; row < first + count; row += 1)
      if ((this.pairs.flags(row) & FLAG.sought) !== 0) rows.push(row);
    return rows;
  }

  subscribedOf(row: number): Subscribed {
    return this.matching.at(this.pairs.subscription(row));
  }

  /** When something was told of it last, ms since the epoch; undefined: never. */
  lastToldAt(row: number): number | undefined {
    return this.pairs.told(row) === TOLD.nothing ? undefined : this.pairs.toldAt(row).at;
  }

  /** The events of which something was sought: offsets, by partition. */
  sought(): Map<number, number[]> {
    const found = new Map<number, number[]>();
    for (const [partition, { from, to }] of this.partitions) {
      const offsets: number[] = [];
      for (let offset = from; offset < to; offset += 1)
        if (this.soughtAt(partition, offset).length > 0) offsets.push(offset);
      if (offsets.length > 0) found.set(partition, offsets);
    }
    return found;
  }

  /** The append time of the first event of the range that stands where a version holds already, ms since the epoch. */
  firstAtFrom(holdsFrom: Readonly<Record<string, number>>): number | undefined {
    const times = [...this.partitions].flatMap(([partition, events]) => {
      const at = events.firstAtFrom(holdsFrom[partition] ?? 0);
      return at === undefined ? [] : [at];
    });
    return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));
  }

  private verdictOf({ row, partition, offset, at, subscribed }: Pair, isOpen: boolean, look: Look): Verdict {
    const flags = this.pairs.flags(row);
    const told = this.pairs.told(row);
    const lastAt = told === TOLD.nothing ? at : this.pairs.toldAt(row).at;
    return verdictOf({
      kind: KINDS[flags & FLAG.kind] as MatchKind,
      told,
      byLetter: (flags & FLAG.byLetter) !== 0,
      inLane: (flags & FLAG.inLane) !== 0,
      inRange: (flags & FLAG.inRange) !== 0,
      isOpen,
      isCaughtUp: look.isCaughtUp(subscribed, partition, offset),
      isDue: (flags & FLAG.named) === 0 && look.isDue(subscribed, partition, offset, at),
      isTold: lastAt >= look.toldSince,
    });
  }

  /**
   * As `outranks` in libs/persistence, delivered absorbs, and of two others the later one counts, by time and then by offset.
   * But no word of waiting comes after an end: a hand-over is told beside the record of the lane, whose owner may be quicker.
   * What waits after an end has a record there.
   */
  private tell(about: About, told: Told, position: LogPosition, byLetter = false): void {
    const row = this.rowOf(about);
    if (row === undefined) return;
    const before = this.pairs.told(row);
    const last = this.pairs.toldAt(row);
    const isLater =
      before === TOLD.nothing ||
      (RANK[told] - RANK[before] || position.at - last.at || position.offset - last.offset) > 0;
    if (!isLater) return;
    this.pairs.setTold(row, told, position);
    const flags = this.pairs.flags(row) & ~FLAG.byLetter;
    this.pairs.setFlags(row, byLetter ? flags | FLAG.byLetter : flags);
  }

  /** The event's partition, if it is in the range, and is the one that was read: another log may have had these offsets. */
  private eventsOf({ partition, offset, at }: LogPosition): PartitionEvents | undefined {
    const events = this.partitions.get(partition);
    return events?.has(offset) === true && events.appendedAt(offset) === at ? events : undefined;
  }

  private rowOf({ source, subscriptionId }: About): number | undefined {
    const events = this.eventsOf(source);
    const number = this.matching.numberOf(subscriptionId);
    if (events === undefined || number === undefined) return undefined;
    const { first, count } = events.rows(source.offset);
    let low = first;
    let high = first + count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.pairs.subscription(middle) < number) low = middle + 1;
      else high = middle;
    }
    return low < first + count && this.pairs.subscription(low) === number ? low : undefined;
  }
}
