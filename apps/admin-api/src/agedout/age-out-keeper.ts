import { TOPICS, type AgedOutRecord, type HeldReason, type LostEvents } from '@hookline/contracts';
import { partitionOf, type Output } from '@hookline/kafka';
import type { Session } from '@hookline/persistence';
import type { Clock, Logger } from '@hookline/platform';
import type { Keeper } from '../keepers/keepers.js';
import { endsOfAttempts, isRecordedUpTo } from '../replays/recorded.js';
import type { LogBounds } from '../replays/resolve-ranges.js';
import { bringBack } from './bring-back.js';
import { buryLost } from './bury-lost.js';
import { holdUndone } from './hold-undone.js';
import { undoneOf, type Undone } from './undone.js';

/** Between two looks at what was found, ms. */
const LOOK_MS = 5_000;
/**
 * A hand-over's outcome is appended beside its lane record, and not in one step with it; ms. Too much of it costs a repeat,
 * too little would leave something out.
 */
const BESIDE_MS = 60_000;
/** Between two looks at what another lane may still have, ms: that takes as long as a log is kept. */
const LANES_MS = 600_000;
/** Deliveries that a round looks at to hold or bury them one by one, but for the rest of a page. */
const ROWS_IN_A_ROUND = 20_000;
/** Of subscriptions that take nothing, by their status. */
const HELD_AS: Readonly<Record<string, HeldReason>> = {
  paused: 'subscription-paused',
  disabled: 'subscription-disabled',
};

/** What is held or buried one by one in a round. */
interface Work {
  session: Session;
  /** As it was asked with, ms since the epoch. */
  until: number;
  signal: AbortSignal;
  /** That may still be looked at. */
  rows: number;
}

export interface AgeOutKeeperParts {
  ageOuts: { list(): Promise<AgedOutRecord[]>; write(record: AgedOutRecord): Promise<void> };
  log: LogBounds;
  /** Every topic in which a delivery may wait. */
  lanes: readonly string[];
  output: Output;
  clock: Clock;
  logger: Logger;
}

/**
 * Sees to what aged out of a lane before its owner read it. Which deliveries were there is in history: those of the lane's
 * subscriptions that have no end, and had their last outcome before the log of the lane begins. They are brought by a catch-up.
 * What can't be, because `hookline.events` has let go of it as well, is written down with its bounds, and dead-lettered, once every
 * lane has let go of what is as old. What is held or buried one by one is that by parts, a round each: the next one begins
 * when history knows of the part before, so it goes on where that ended, whoever keeps by then.
 */
export class AgeOutKeeper implements Keeper {
  readonly name = 'age-outs';
  private nextLook = -Infinity;
  /** The ends of `hookline.attempts` when an age-out was first looked at, by when it was found. */
  private readonly writtenBefore = new Map<number, Record<string, number>>();
  /** Subscriptions whose catch-up has begun; the others of their lane may still wait for theirs. */
  private readonly brought = new Set<string>();
  /** When to look again at what another lane may still have, by lane and when it was found. */
  private readonly notBefore = new Map<string, number>();

  constructor(
    private readonly parts: AgeOutKeeperParts,
    private readonly rowsInARound = ROWS_IN_A_ROUND,
  ) {}

  async round(session: Session, signal: AbortSignal): Promise<void> {
    const { ageOuts, clock } = this.parts;
    if (clock.now() < this.nextLook) return;
    this.nextLook = clock.now() + LOOK_MS;
    const found = (await ageOuts.list()).filter(({ state }) => state === 'found');
    const inLanes = found.filter(({ topic }) => topic !== TOPICS.events);
    for (const record of found.filter(({ topic }) => topic === TOPICS.events)) await this.lose(record);
    if (inLanes.length === 0) return this.forget();
    if (!(await this.isAbreast(session, inLanes))) return;
    // Tiers of one owner lose together: what they had is brought once.
    for (const partition of new Set(inLanes.map((record) => record.partition))) {
      signal.throwIfAborted();
      await this.restore(
        session,
        inLanes.filter((record) => record.partition === partition),
        partition,
        signal,
      );
    }
  }

  private forget(): void {
    this.writtenBefore.clear();
    this.brought.clear();
    this.notBefore.clear();
  }

  /** Of events that nobody read it isn't known whom they would have matched. */
  private async lose(record: AgedOutRecord): Promise<void> {
    const { partition, from, to, since, foundAt, until = foundAt } = record;
    const lost: LostEvents = {
      partition,
      first: from,
      last: to - 1,
      firstAt: since ?? 0,
      lastAt: until,
      deliveries: 0,
    };
    await this.parts.ageOuts.write({ ...record, state: 'lost', lost: [lost] });
    this.parts.logger.error({ ageOut: record }, 'events left the log before they were matched: they are lost');
  }

  private async restore(
    session: Session,
    records: readonly AgedOutRecord[],
    partition: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { ageOuts, log, clock, logger } = this.parts;
    const foundAt = Math.max(...records.map((record) => record.foundAt));
    const look = `${partition}/${foundAt}`;
    if (clock.now() < (this.notBefore.get(look) ?? -Infinity)) return;
    const lanes = await log.bounds((records[0] as AgedOutRecord).topic);
    const rows = await session.query<{ id: string; status: string }>(
      `SELECT id, status FROM subscriptions WHERE status <> 'deleted'`,
    );
    const statuses = new Map(rows.map(({ id, status }) => [id, status]));
    const ids = [...statuses.keys()].filter((id) => partitionOf(Buffer.from(id), lanes.length) === partition);
    const events = await log.bounds(TOPICS.events);
    const lows = Object.fromEntries(events.map(({ partition: of, low }) => [of, low]));
    const until = Math.max(...records.map((record) => record.until ?? record.foundAt)) + BESIDE_MS;
    const undone = await undoneOf(session, ids, until, lows);
    const there = undone.filter(({ isGone }) => !isGone);
    const ends = Object.fromEntries(events.map(({ partition: of, high }) => [of, high]));
    const counted = await this.counted(records, there);
    const work: Work = { session, until, signal, rows: this.rowsInARound };
    let waits = false;
    for (const id of new Set(there.map(({ subscriptionId }) => subscriptionId))) {
      signal.throwIfAborted();
      if (this.brought.has(id)) continue;
      const its = there.filter(({ subscriptionId }) => subscriptionId === id);
      // The span first: in the next round less of it is undone.
      if (!(await bringBack(session, id, its, foundAt, ends))) waits = true;
      else if (await this.hold(its, HELD_AS[statuses.get(id) ?? ''], work)) this.brought.add(id);
      else return this.goOnLater(records);
    }
    // Nothing is marked before all of it is under way.
    if (waits) return;
    const gone = undone.filter(({ isGone }) => isGone);
    if (await this.mayWaitElsewhere(gone, partition)) {
      this.notBefore.set(look, clock.now() + LANES_MS);
      logger.info(
        { ageOuts: records },
        'deliveries that aged out of a lane may be in another one: they are left until it lets go',
      );
      return;
    }
    // As it was before, if that is told: by now history may know of ends, and nobody would find those again.
    const { lost = lostOf(gone) } = counted.find((record) => record.lost !== undefined) ?? {};
    for (const record of counted)
      if (lost.length > 0 && record.lost === undefined) await ageOuts.write({ ...record, lost });
    if (!(await this.bury(gone, work))) return this.goOnLater(records);
    for (const record of counted) {
      const { recreated } = record;
      const state = recreated === 0 && lost.length > 0 ? 'lost' : 're-created';
      await ageOuts.write({ ...record, state, ...(lost.length > 0 ? { lost } : {}) });
      logger.error(
        { ageOut: record, recreated, lost },
        'deliveries aged out of a lane; those that the log has are brought again, the others are dead-lettered',
      );
    }
  }

  /** With how many are re-created. That is told before the first of them is: afterwards history knows of fewer. */
  private async counted(
    records: readonly AgedOutRecord[],
    there: readonly Undone[],
  ): Promise<(AgedOutRecord & { recreated: number })[]> {
    const now = there.reduce((sum, { deliveries }) => sum + deliveries, 0);
    const counted = records.map((record) => ({ ...record, recreated: record.recreated ?? now }));
    for (const [i, { recreated }] of records.entries())
      if (recreated === undefined) await this.parts.ageOuts.write(counted[i] as AgedOutRecord);
    return counted;
  }

  /** @param reason absent where their subscription takes something now @returns whether it is through with them */
  private async hold(undone: readonly Undone[], reason: HeldReason | undefined, work: Work): Promise<boolean> {
    const { session, until, signal } = work;
    if (reason === undefined) return true;
    for (const each of undone) {
      work.rows -= await holdUndone(session, this.parts.output, each, until, reason, work.rows, signal);
      if (work.rows <= 0) return false;
    }
    return true;
  }

  /** @returns whether it is through with them */
  private async bury(gone: readonly Undone[], work: Work): Promise<boolean> {
    const { session, until, signal } = work;
    for (const each of gone) {
      work.rows -= await buryLost(session, this.parts.output, each, until, work.rows, signal);
      if (work.rows <= 0) return false;
    }
    return true;
  }

  /** When history has what was written in this round. */
  private goOnLater(records: readonly AgedOutRecord[]): void {
    for (const { foundAt } of records) this.writtenBefore.delete(foundAt);
  }

  /** Whether a lane has anything left of the time when one of these had its last outcome: it may be there, and be tried. */
  private async mayWaitElsewhere(gone: readonly Undone[], lane: number): Promise<boolean> {
    if (gone.length === 0) return false;
    const { lanes, log } = this.parts;
    const after = Math.max(...gone.map(({ outcomeAt }) => outcomeAt)) + BESIDE_MS;
    for (const topic of lanes) {
      const next = (await log.at(topic, after)).get(lane);
      const low = (await log.bounds(topic)).find(({ partition }) => partition === lane)?.low;
      if (low !== undefined && next !== undefined && low < next) return true;
    }
    return false;
  }

  /** Whether history has all outcomes that were written when these were first looked at. */
  private async isAbreast(session: Session, records: readonly AgedOutRecord[]): Promise<boolean> {
    const ends = await endsOfAttempts(this.parts.log);
    for (const { foundAt } of records) if (!this.writtenBefore.has(foundAt)) this.writtenBefore.set(foundAt, ends);
    return isRecordedUpTo(session, ...this.writtenBefore.values());
  }
}

function lostOf(gone: readonly Undone[]): LostEvents[] {
  const byPartition = new Map<number, LostEvents>();
  for (const { partition, first, last, firstAt, lastAt, deliveries } of gone) {
    const known = byPartition.get(partition);
    byPartition.set(partition, {
      partition,
      first: Math.min(first, known?.first ?? first),
      last: Math.max(last, known?.last ?? last),
      firstAt: Math.min(firstAt, known?.firstAt ?? firstAt),
      lastAt: Math.max(lastAt, known?.lastAt ?? lastAt),
      deliveries: deliveries + (known?.deliveries ?? 0),
    });
  }
  return [...byPartition.values()];
}
