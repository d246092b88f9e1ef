import type { LogPosition } from '@hookline/contracts';
import type { OrderedStream } from './ordered-stream.js';
import { OrderedStreams } from './ordered-streams.js';
import { OrderedTurns } from './ordered-turns.js';
import type { Finished, FoundRecord, GateVerdict, OrderedEvent, OrderedWork } from './ordered-work.js';
import type { Outstanding } from './outstanding.js';
import { PassedOffsets } from './passed-offsets.js';
import { ScannedRecords, type Carried } from './scanned-records.js';

export interface GateRules {
  /** What may get its turn within so long waits in memory; everything else moves to a tier. ms */
  readonly patienceMs: number;
  /** Events that are not through at most; beyond, what is handed over anew waits. */
  readonly outstandingMost: number;
  /** Events that are through, remembered to know a copy by. */
  readonly rememberedMost: number;
  /** Whether a catch-up brings what a subscription's or a replay's stream has of this epoch there; never, where it is left out. */
  readonly isSuperseded?: (group: string, epoch: number | undefined, source: LogPosition) => boolean;
}

/** What decides whether something is waited for. */
type Waiting = Pick<OrderedEvent, 'group' | 'epoch' | 'source'>;

/** The weight of the latest event in the pace. */
const LATEST = 0.2;

/**
 * Lets, of each key of a subscription, one event through at a time: the first in the log that is not delivered or dead-lettered.
 * It knows all that are not: those in this worker's hands, and those that lie in retry tiers, by a scan when it took
 * the lanes over and by its own moves since. The others wait in memory where their turn is near, else they move behind.
 *
 * One for each lane partition, in its owner. It decides and remembers, nothing else: what comes is told to it, and what it
 * wants done it returns.
 */
export class OrderingGate<W extends OrderedWork> {
  private readonly streams = new OrderedStreams<W>();
  private readonly scanned = new ScannedRecords<W>();
  private readonly passed: PassedOffsets;
  private readonly turns: OrderedTurns<W>;
  /** Handed over anew, above the limit; in the order in which it came. */
  private overflow: W[] = [];
  private vanishedCount = 0;

  constructor(private readonly rules: GateRules) {
    this.passed = new PassedOffsets(rules.rememberedMost);
    this.turns = new OrderedTurns(rules.patienceMs, this.streams);
  }

  /** Events that are not through. */
  get outstanding(): number {
    return this.streams.outstanding;
  }

  /** Subscriptions and replays that have any of those. */
  get sharers(): number {
    return this.streams.sharers;
  }

  /** Something that was handed over anew waits for the others to become fewer. */
  get isFull(): boolean {
    return this.overflow.length > 0;
  }

  /** Events that wait for one that is not in our hands: {@link tick} is to be called now and then. */
  get isBlocked(): boolean {
    return this.turns.isBlocked;
  }

  /** Events of which the log let go before they were through. */
  get vanished(): number {
    return this.vanishedCount;
  }

  /**
   * The scan found a record that is going to be read. To be called in log order for each lane, before any record
   * arrives; for the tiers first: what was written later counts.
   */
  found(record: FoundRecord): void {
    if (this.isSuperseded(record)) return;
    const stream = this.streams.of(record);
    const known = stream.find(record.source);
    if (known !== undefined && !record.fromTier) return;
    const outstanding = known ?? this.streams.begin(stream, record);
    outstanding.found(record.dueAt);
    this.scanned.add(record, { stream, outstanding });
  }

  /**
   * The scan found a complete record of what was handed over anew: its event is through, unless a record of it was
   * {@link found}, for whose sake this one was dropped; that one counts.
   */
  foundComplete(event: OrderedEvent): void {
    this.passed.add(passedGroup(event), event.source.offset);
  }

  /** A record was read; in log order for each lane, but for what comes again. It is ready where its time has come. */
  arrive(work: W, now: number): GateVerdict<W>[] {
    const verdicts: GateVerdict<W>[] = [];
    if (this.mustWait(work)) this.overflow.push(work);
    else this.take(work, now, verdicts);
    return verdicts;
  }

  /** The time of a record that arrived before it has come. */
  ready(work: W, now: number): GateVerdict<W>[] {
    const verdicts: GateVerdict<W>[] = [];
    const stream = this.streams.get(work);
    const outstanding = stream?.find(work.source);
    if (stream === undefined || outstanding === undefined) return verdicts;
    outstanding.ready(work);
    this.turns.settle(stream, outstanding, verdicts);
    this.turns.advance(stream, now, verdicts, ofOne(stream, outstanding), 1);
    return verdicts;
  }

  /** An attempt or a move that was asked for has ended. */
  finished(work: W, how: Finished, now: number): GateVerdict<W>[] {
    const verdicts: GateVerdict<W>[] = [];
    const stream = this.streams.get(work);
    const outstanding = stream?.find(work.source);
    if (stream === undefined || outstanding?.isBusyWith(work) !== true) return verdicts;
    const wasFirst = stream.first === outstanding;
    const tookMs = outstanding.leave(work, now);
    if (tookMs !== undefined && how.kind !== 'again')
      stream.paceMs = stream.paceMs === undefined ? tookMs : stream.paceMs * (1 - LATEST) + tookMs * LATEST;
    if (how.kind === 'passed' || outstanding.isForgotten) {
      if (how.kind === 'passed') this.passed.add(passedGroup(work), work.source.offset);
      this.streams.end(stream, outstanding);
      for (const copy of outstanding.copies()) verdicts.push({ kind: 'drop', work: copy });
    } else {
      if (how.kind === 'away') outstanding.wentAway(now + how.forMs);
      else outstanding.comesAgain();
      this.turns.settle(stream, outstanding, verdicts);
    }
    // For the others only the first's situation matters.
    this.turns.advance(stream, now, verdicts, wasFirst ? stream.waiting : ofOne(stream, outstanding));
    this.admit(now, verdicts);
    return verdicts;
  }

  /** What has waited for too long for an event that is not in our hands moves on. */
  tick(now: number): GateVerdict<W>[] {
    return this.turns.tick(now);
  }

  /**
   * A subscription has caught up, or begins to: what is superseded from now on is forgotten, and holds nobody up. What
   * of it is in our hands is dropped; what stands elsewhere will be when it comes.
   */
  supersede(subscription: string, now: number): GateVerdict<W>[] {
    return this.forget(subscription, 'drop', now, (event) => this.isSuperseded(event));
  }

  /** A subscription turns out to want no order: what was held for it goes. */
  release(subscription: string, now: number): GateVerdict<W>[] {
    return this.forget(subscription, 'go', now, () => true);
  }

  private forget(
    subscription: string,
    kind: 'drop' | 'go',
    now: number,
    which: (event: Waiting) => boolean,
  ): GateVerdict<W>[] {
    const verdicts: GateVerdict<W>[] = [];
    const isOurs = (group: string): boolean => group === subscription || group.startsWith(`${subscription}\0`);
    for (const stream of this.streams.all()) {
      const { group } = stream;
      if (!isOurs(group)) continue;
      for (const outstanding of stream.events) {
        if (!which({ group, epoch: outstanding.epoch, source: outstanding.source })) continue;
        for (const work of outstanding.abandon()) verdicts.push({ kind, work });
        if (!outstanding.isForgotten) this.streams.end(stream, outstanding);
      }
      this.turns.advance(stream, now, verdicts, stream.waiting);
    }
    const isOver = (work: W): boolean => isOurs(work.group) && which(work);
    for (const work of this.overflow) if (isOver(work)) verdicts.push({ kind, work });
    this.overflow = this.overflow.filter((work) => !isOver(work));
    this.admit(now, verdicts);
    return verdicts;
  }

  /** What waits may be of its key, and before it: also what a tier brings for the first time stands behind it. */
  private mustWait(work: W): boolean {
    const isFull = !work.fromTier && this.streams.outstanding >= this.rules.outstandingMost;
    if (!isFull && this.overflow.length === 0) return false;
    return this.streams.find(work) === undefined && !this.hasPassed(work) && !this.isSuperseded(work);
  }

  private take(work: W, now: number, verdicts: GateVerdict<W>[]): void {
    const missed: Carried<W>[] = [];
    const scanned = this.scanned.read(work, missed);
    for (const each of missed) this.missed(each, now, verdicts);
    let outstanding = this.streams.find(work);
    if (this.isSuperseded(work)) return this.drop(work, outstanding, now, verdicts);
    if (outstanding === undefined && this.hasPassed(work)) {
      verdicts.push({ kind: 'drop', work });
      return;
    }
    const stream = this.streams.of(work);
    outstanding ??= this.streams.begin(stream, work);
    outstanding.came(work, scanned?.outstanding === outstanding, now);
    this.turns.settle(stream, outstanding, verdicts);
    this.turns.advance(stream, now, verdicts, ofOne(stream, outstanding), 1);
  }

  /** The record ends, and so does its event unless it is under way. */
  private drop(work: W, outstanding: Outstanding<W> | undefined, now: number, verdicts: GateVerdict<W>[]): void {
    verdicts.push({ kind: 'drop', work });
    if (outstanding === undefined || outstanding.isBusy) return;
    const stream = this.streams.of(work);
    this.streams.end(stream, outstanding);
    for (const copy of outstanding.abandon())
      if (copy.lane !== work.lane || copy.offset !== work.offset) verdicts.push({ kind: 'drop', work: copy });
    this.turns.advance(stream, now, verdicts, stream.waiting);
  }

  /** The log has let go of a record that the scan had found. */
  private missed({ stream, outstanding }: Carried<W>, now: number, verdicts: GateVerdict<W>[]): void {
    outstanding.missed();
    if (!outstanding.isGone || stream.find(outstanding.source) !== outstanding) return;
    this.vanishedCount++;
    this.streams.end(stream, outstanding);
    this.turns.advance(stream, now, verdicts, stream.waiting);
  }

  private admit(now: number, verdicts: GateVerdict<W>[]): void {
    let admitted = 0;
    while (admitted < this.overflow.length && this.streams.outstanding < this.rules.outstandingMost)
      this.take(this.overflow[admitted++] as W, now, verdicts);
    if (admitted > 0) this.overflow = this.overflow.slice(admitted);
  }

  private isSuperseded({ group, epoch, source }: Waiting): boolean {
    return this.rules.isSuperseded?.(group, epoch, source) === true;
  }

  private hasPassed(event: OrderedEvent): boolean {
    return this.passed.has(passedGroup(event), event.source.offset);
  }
}

/** The event, if it waits for its turn. */
function ofOne<W extends OrderedWork>(stream: OrderedStream<W>, outstanding: Outstanding<W>): Outstanding<W>[] {
  return stream.waiting.has(outstanding) ? [outstanding] : [];
}

const passedGroup = ({ group, source }: OrderedEvent): string => `${group}\0${source.partition}`;
