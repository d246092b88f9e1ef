import { TOPICS } from '@hookline/contracts';
import type { OffsetRange, ReadRecord } from '@hookline/kafka';
import type { Clock } from '@hookline/platform';
import { isCaughtUp, LateLearners, SLICE_PATIENCE_MS } from './late-learners.js';
import { LedgerWriter } from './ledger-writer.js';
import { Ledger, type Look } from './ledger.js';
import type { KnownRecord, Matching } from './matching.js';
import type { OpenWork } from './open-work.js';
import { runsAround } from './runs.js';
import type { LookedAt } from './source-log.js';

/** Who works on the log, by their consumer groups. */
export interface Groups {
  events: string;
  lanes: string;
  recorder: string;
}

export interface ReconcilerParts {
  log: LookedAt;
  matching: Matching;
  groups: Groups;
  /** What `hookline.subscriptions` says now. */
  subscriptions: () => Promise<readonly KnownRecord[]>;
  clock: Clock;
  /** After a version was appended every worker knows of it, ms. */
  knownAfterMs: number;
}

/** What a look goes by: all of it stood at one time, or later in this order. */
interface Snapshot {
  events: OpenWork;
  lanes: Map<string, OpenWork>;
  /** Where what was told ends, by topic. */
  toldTo: Map<string, ReadonlyMap<number, number>>;
  laneRanges: Map<string, OffsetRange[]>;
}

/** Brokers' clocks differ by less, ms. */
const SKEW_MS = 60_000;
const TOLD_IN = [TOPICS.attempts, TOPICS.deadLetters] as const;
/** So many looks at most, where each finds others missing. */
const MOST_LOOKS = 4;
/** How long the workers may take to pass the range, between two looks; and how long without a step, ms. */
const PATIENCE_MS = 30_000;
const STALLED_MS = 5_000;
const POLL_MS = 500;

/**
 * Reads the log, and what became of it. Each look takes the groups' commits first, then the ends of what was told, then those
 * of the lanes, and the subscriptions. A delivery is in the log without a gap: what carries it is complete, for its group,
 * only after the next carrier or the outcome is durable. So what was open by the commits is found in what ends after them,
 * and what was complete had been told by then. Nothing that is under way can be missed between two places.
 */
export class Reconciler {
  readonly ledger: Ledger;
  private readonly writer: LedgerWriter;
  /** From where on what was told is to be read, by topic and partition; undefined before the first look. */
  private toldFrom: Map<string, ReadonlyMap<number, number>> | undefined;

  /** @param ranges they have ended before this is made */
  constructor(
    private readonly parts: ReconcilerParts,
    private readonly ranges: readonly OffsetRange[],
  ) {
    this.ledger = new Ledger(ranges, parts.matching);
    this.writer = new LedgerWriter(this.ledger, parts.matching);
  }

  /** Looks until what is missing was missing in the look before, too. @returns the last look */
  async settle(): Promise<Look> {
    for (let looks = 1; ; looks += 1) {
      const look = await this.look();
      const { missing, confirmed } = this.ledger.seek(look);
      if (missing === confirmed || looks === MOST_LOOKS) return look;
      await this.untilPassed();
    }
  }

  /** Once more, of what is there since. */
  async look(): Promise<Look> {
    const { log, matching } = this.parts;
    const snapshot = await this.snapshot();
    matching.update(await this.parts.subscriptions());
    if (this.toldFrom === undefined) this.toldFrom = await this.readEvents();
    else await this.eachSought(this.writer.eventAgain);
    await this.readTold(snapshot.toldTo, this.toldFrom);
    this.toldFrom = snapshot.toldTo;
    this.ledger.forgetLanes();
    for (const [lane, ranges] of snapshot.laneRanges) {
      const open = snapshot.lanes.get(lane);
      await log.each(lane, ranges, (record) => {
        if (open?.isOpen(record.partition, record.offset) === true) this.writer.lane(record);
      });
    }
    const late = await this.lateLearners();
    return {
      isOpen: (partition, offset) => snapshot.events.isOpen(partition, offset),
      isCaughtUp,
      isDue: (...pair) => late.isDue(...pair),
      toldSince: await this.toldSince(),
    };
  }

  /** Reads the events again of which something was missing in the last look. */
  async eachSought(take: (record: ReadRecord) => void | Promise<void>): Promise<void> {
    for (const ranges of runsAround(this.ledger.sought())) await this.parts.log.each(TOPICS.events, ranges, take);
  }

  private async snapshot(): Promise<Snapshot> {
    const { log, groups } = this.parts;
    const topics = await log.lanes();
    const events = (await log.openWork(groups.events, [TOPICS.events])).get(TOPICS.events) as OpenWork;
    const lanes = await log.openWork(groups.lanes, topics);
    const toldTo = new Map<string, ReadonlyMap<number, number>>();
    for (const topic of TOLD_IN)
      toldTo.set(topic, new Map((await log.bounds(topic)).map(({ partition, high }) => [partition, high])));
    const laneRanges = new Map<string, OffsetRange[]>();
    for (const topic of topics) {
      const ranges = (await log.bounds(topic)).map(({ partition, low, high }) => {
        const watermark = lanes.get(topic)?.watermark(partition) ?? 0;
        return { partition, from: Math.max(low, watermark), to: high };
      });
      laneRanges.set(topic, ranges);
    }
    return { events, lanes, toldTo, laneRanges };
  }

  /** @returns from where on what was told of these is to be read */
  private async readEvents(): Promise<Map<string, ReadonlyMap<number, number>>> {
    const { log, clock } = this.parts;
    let first = clock.now();
    await log.each(TOPICS.events, this.ranges, (record) => {
      first = Math.min(first, record.timestamp);
      this.writer.event(record);
    });
    const from = new Map<string, ReadonlyMap<number, number>>();
    for (const topic of TOLD_IN) from.set(topic, await log.at(topic, first - SKEW_MS));
    return from;
  }

  private async readTold(
    to: ReadonlyMap<string, ReadonlyMap<number, number>>,
    from: ReadonlyMap<string, ReadonlyMap<number, number>>,
  ): Promise<void> {
    for (const topic of TOLD_IN) {
      const lows = new Map((await this.parts.log.bounds(topic)).map(({ partition, low }) => [partition, low]));
      const ranges = [...(to.get(topic) ?? [])].map(([partition, end]) => {
        const begin = Math.max(lows.get(partition) ?? 0, from.get(topic)?.get(partition) ?? 0);
        return { partition, from: Math.min(begin, end), to: end };
      });
      await this.parts.log.each(topic, ranges, topic === TOPICS.attempts ? this.writer.outcome : this.writer.letter);
    }
  }

  /** From when on `hookline.attempts` has all that was told, ms since the epoch: where nothing was deleted, from ever. */
  private async toldSince(): Promise<number> {
    let since = -Infinity;
    for (const { partition, low, high } of await this.parts.log.bounds(TOPICS.attempts)) {
      if (low === 0) continue;
      const first = low < high ? await this.parts.log.firstAt(TOPICS.attempts, partition, low) : undefined;
      since = Math.max(since, first === undefined ? this.parts.clock.now() : first + SKEW_MS);
    }
    return since;
  }

  private async lateLearners(): Promise<LateLearners> {
    const { log, groups, clock, knownAfterMs } = this.parts;
    const recorded = (await log.openWork(groups.recorder, [TOPICS.attempts])).get(TOPICS.attempts);
    const due = await log.at(TOPICS.attempts, clock.now() - SLICE_PATIENCE_MS);
    const isHistoryBehind = [...due].some(([partition, offset]) => offset > (recorded?.watermark(partition) ?? 0));
    const times = { knownAfterMs, now: clock.now(), isHistoryBehind };
    return new LateLearners(times, (holdsFrom) => this.ledger.firstAtFrom(holdsFrom));
  }

  /** Until the workers have passed the range, or stand still. */
  private async untilPassed(): Promise<void> {
    const { log, groups, clock } = this.parts;
    const end = clock.now() + PATIENCE_MS;
    let movedAt = clock.now();
    let last = -1;
    while (clock.now() < end && clock.now() - movedAt < STALLED_MS) {
      const open = (await log.openWork(groups.events, [TOPICS.events])).get(TOPICS.events);
      const passed = this.ranges.map(({ partition, to }) => Math.min(to, open?.watermark(partition) ?? 0));
      if (this.ranges.every(({ to }, i) => passed[i] === to)) return;
      const sum = passed.reduce((a, b) => a + b, 0);
      if (sum !== last) movedAt = clock.now();
      last = sum;
      await new Promise<void>((resolve) => clock.after(POLL_MS, resolve));
    }
  }
}
