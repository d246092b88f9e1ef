import { OrderingGate, type Finished, type GateRules, type GateVerdict, type Outcome } from '@hookline/domain';
import { LetGo, type RestoredProgress } from '@hookline/kafka';
import type { Clock, Logger } from '@hookline/platform';
import { NotOwner, type Delivery } from '../delivery.js';
import { DueQueue } from '../lanes/due-queue.js';
import type { HeldWork } from './held-work.js';
import type { LaneEnd } from './lane-end.js';
import type { LaneScan } from './lane-scan.js';
import { subscriptionOf } from './stream-of.js';

type Gate = OrderingGate<HeldWork>;

const TICK_MS = 1_000;
const RESCAN_MS = 1_000;

export interface LanePorts {
  readonly scan: Pick<LaneScan, 'run'>;
  readonly laneEnd: LaneEnd;
  /**
   * Writes it to a tier, without an attempt.
   * @param behind whether there is no use in coming back before the wait is over
   */
  move(delivery: Delivery, waitMs: number, behind: boolean): Promise<Outcome>;
}

export interface LaneRules extends GateRules {
  /** How long a former owner may still have something at the socket, ms. */
  readonly takeOverMs: number;
}

/** One partition of all lanes, while this worker owns them: the gate, and what it holds in front of it. */
export class OrderedLane {
  /** Undefined until it is known what is outstanding. */
  private gate: Gate | undefined;
  private readonly due: DueQueue;
  private readonly progress = new Map<string, RestoredProgress>();
  /** What came before that. */
  private early: HeldWork[] = [];
  private readonly held = new Set<HeldWork>();
  private running = 0;
  private opening = false;
  private openAt = 0;
  private readonly end = new AbortController();
  private whenQuiet: (() => void)[] = [];
  private cancelTick: (() => void) | undefined;

  /** @param before the lane whose place this one takes while partitions of it are still ours */
  constructor(
    private readonly partition: number,
    private readonly lanes: readonly string[],
    private readonly ports: LanePorts,
    private readonly rules: LaneRules,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly before?: OrderedLane,
  ) {
    this.due = new DueQueue(clock);
    if (before !== undefined) for (const [lane, progress] of before.progress) this.progress.set(lane, progress);
  }

  /** The lane's partition is ours, and what of it is complete is known. */
  assigned(lane: string, progress: RestoredProgress): void {
    this.progress.set(lane, progress);
    if (!progress.isFirst) this.openAt = this.clock.now() + this.rules.takeOverMs;
    this.open();
  }

  /** The lane's partition is ours no longer. */
  lost(lane: string): void {
    this.progress.delete(lane);
  }

  get isLost(): boolean {
    return this.progress.size === 0;
  }

  /** Nothing is accepted anew until something is through: its records wait on purpose. */
  get isFull(): boolean {
    return this.gate?.isFull === true;
  }

  /** Events that are not through, as far as that is known; and of how many subscriptions and replays. */
  get outstanding(): { readonly events: number; readonly sharers: number } {
    const { outstanding = 0, sharers = 0 } = this.gate ?? {};
    return { events: outstanding + this.early.length, sharers };
  }

  take(work: HeldWork): void {
    this.held.add(work);
    if (this.gate !== undefined) return this.arrive(this.gate, work);
    this.early.push(work);
    this.open();
  }

  /** What of it is superseded now is not waited for any more. */
  supersede(subscriptionId: string): void {
    if (this.gate !== undefined) this.carryOut(this.gate, this.gate.supersede(subscriptionId, this.clock.now()));
  }

  /** The subscription wants no order, as is known only now: what is held of it goes, each at its time. */
  release(subscriptionId: string): void {
    const { gate, early } = this;
    const isReleased = ({ group }: HeldWork): boolean => subscriptionOf(group) === subscriptionId;
    this.early = early.filter((work) => !isReleased(work));
    for (const work of early.filter(isReleased)) this.goWhenDue(gate, work);
    if (gate !== undefined) this.carryOut(gate, gate.release(subscriptionId, this.clock.now()));
  }

  /** Ends it: what it holds is given back. */
  close(stopping: boolean): void {
    this.end.abort();
    this.cancelTick?.();
    this.due.close();
    for (const { reject } of this.held) reject(stopping ? new LetGo('it waits no longer here') : new NotOwner());
    this.held.clear();
  }

  /** Resolves when nothing of it is attempted or written any more. */
  async quiet(): Promise<void> {
    await this.before?.quiet();
    if (this.running > 0) await new Promise<void>((resolve) => this.whenQuiet.push(resolve));
  }

  /** Begins with the first record for which order matters: who has none pays nothing. */
  private open(): void {
    if (this.opening || this.early.length === 0 || !this.lanes.every((lane) => this.progress.has(lane))) return;
    this.opening = true;
    void this.getToKnow();
  }

  private async getToKnow(): Promise<void> {
    const { signal } = this.end;
    await this.before?.quiet();
    const gate = await this.scanned(signal);
    // What the former owner still has at a socket must not come after what is sent from here.
    await this.pause(this.openAt - this.clock.now());
    if (gate === undefined || signal.aborted) return;
    this.gate = gate;
    // What was given back by the lane before this one comes again in any order.
    const early = this.early.sort((a, b) => a.offset - b.offset);
    this.early = [];
    for (const work of early) this.arrive(gate, work);
  }

  /** @returns a gate that knows what is outstanding; undefined where it is not needed any more */
  private async scanned(signal: AbortSignal): Promise<Gate | undefined> {
    while (!signal.aborted) {
      const gate = new OrderingGate<HeldWork>(this.rules);
      try {
        const progress = this.before === undefined ? this.progress : await this.progressNow();
        await this.ports.scan.run(this.partition, progress, gate, signal);
        return gate;
      } catch (error) {
        if (signal.aborted) break;
        const { partition } = this;
        this.logger.warn({ partition, err: error }, 'the lanes could not be scanned; ordered deliveries wait for it');
        await this.pause(RESCAN_MS);
      }
    }
    return undefined;
  }

  /** Since the lanes that the one before this has left were assigned, it has written to them. */
  private async progressNow(): Promise<Map<string, RestoredProgress>> {
    const now = new Map<string, RestoredProgress>();
    for (const [lane, progress] of this.progress) {
      const end = await this.ports.laneEnd(lane, this.partition);
      const isComplete = (offset: number): boolean => progress.isComplete(offset);
      now.set(lane, { ...progress, end, isComplete });
    }
    return now;
  }

  private arrive(gate: Gate, work: HeldWork): void {
    const now = this.clock.now();
    const wait = (): void => this.carryOut(gate, gate.ready(work, this.clock.now()));
    if (work.dueAt > now) this.due.add(work.dueAt, wait, () => undefined);
    this.carryOut(gate, gate.arrive(work, now));
  }

  private carryOut(gate: Gate, verdicts: readonly GateVerdict<HeldWork>[]): void {
    for (const verdict of verdicts) {
      const { work } = verdict;
      if (verdict.kind === 'go') this.goWhenDue(gate, work);
      else if (verdict.kind === 'move')
        this.run(gate, work, this.ports.move(work.delivery, verdict.waitMs, verdict.behind));
      else this.settle(work, work.resolve);
    }
    if (gate.isBlocked) this.cancelTick ??= this.clock.after(TICK_MS, () => this.tick(gate));
  }

  /** What the gate lets go is due, but for what it has released. */
  private goWhenDue(gate: Gate | undefined, work: HeldWork): void {
    if (work.dueAt <= this.clock.now()) return this.run(gate, work, work.attempt());
    const nothing = (): void => undefined;
    this.due.add(work.dueAt, () => this.goWhenDue(gate, work), nothing);
  }

  private run(gate: Gate | undefined, work: HeldWork, outcome: Promise<Outcome>): void {
    this.running++;
    // A close lets it end by itself.
    this.held.delete(work);
    outcome.then(
      (how) => this.finished(gate, work, finishedBy(how), work.resolve),
      (error: unknown) => this.finished(gate, work, AGAIN, () => work.reject(error)),
    );
  }

  private finished(gate: Gate | undefined, work: HeldWork, how: Finished, settle: () => void): void {
    this.running--;
    if (this.running === 0) for (const resolve of this.whenQuiet.splice(0)) resolve();
    this.settle(work, settle);
    if (gate === undefined || this.end.signal.aborted) return;
    this.carryOut(gate, gate.finished(work, how, this.clock.now()));
  }

  private settle(work: HeldWork, settle: () => void): void {
    this.held.delete(work);
    settle();
  }

  private tick(gate: Gate): void {
    this.cancelTick = undefined;
    if (!this.end.signal.aborted) this.carryOut(gate, gate.tick(this.clock.now()));
  }

  private pause(ms: number): Promise<void> {
    const { signal } = this.end;
    return new Promise((resolve) => {
      if (ms <= 0 || signal.aborted) return resolve();
      const cancel = this.clock.after(ms, resolve);
      signal.addEventListener('abort', () => {
        cancel();
        resolve();
      });
    });
  }
}

const AGAIN: Finished = { kind: 'again' };
const PASSED: Finished = { kind: 'passed' };

function finishedBy(outcome: Outcome): Finished {
  if (outcome.kind !== 'retry' && outcome.kind !== 'defer') return PASSED;
  return { kind: 'away', forMs: outcome.delayMs + outcome.jitterMs };
}
