import type { GateVerdict, OrderedWork } from '../ordered-work.js';
import { OrderingGate, type GateRules } from '../ordering-gate.js';
import { ScanBounds } from '../scan-bounds.js';

const TIERS = [
  { lane: 'short', delayMs: 10 },
  { lane: 'long', delayMs: 50 },
] as const;
export const LANES = ['deliveries', ...TIERS.map(({ lane }) => lane)];

export interface Event {
  readonly key: string;
  readonly partition: number;
  readonly offset: number;
}

interface Record extends OrderedWork {
  readonly event: Event;
  readonly epoch: number;
}

/** A lane's log, and how far its group has come with it. */
class Log {
  readonly records: Record[] = [];
  readonly committed = new Set<number>();
  readonly complete = new Set<number>();
  next = 0;
}

interface Running {
  readonly record: Record;
  /** The record is in the tier, and this worker does not know it yet. */
  writtenMs?: number;
}

/**
 * Everything around the gate, simply: hand-overs in the order of the log, lanes that are read from what is not complete, attempts,
 * moves, crashes. It checks at each send that what comes before it in its key is through.
 */
export class OrderedWorld {
  now = 1_000;
  readonly events: Event[] = [];
  readonly through = new Set<Event>();
  readonly sends: Event[] = [];
  readonly violations: string[] = [];
  failures = 0;
  attempts: Running[] = [];
  moves: { record: Record; delayMs: number; written: boolean }[] = [];
  private readonly logs = new Map(LANES.map((lane) => [lane, new Log()]));
  private handedOver = 0;
  /** All that was ever handed over. */
  private readonly known = new Set<Event>();
  private epoch = 0;
  private readonly gateRules: GateRules;
  private gate: OrderingGate<Record>;
  private inHand: Record[] = [];
  private again: Record[] = [];

  constructor(rules: GateRules) {
    this.gateRules = { ...rules, isSuperseded: (_group, epoch = 0) => epoch < this.epoch };
    this.gate = new OrderingGate(this.gateRules);
  }

  publish(key: string, partition = 0): void {
    this.events.push({ key, partition, offset: this.events.length });
  }

  /** Up to so many, in the order of the log. */
  handOver(count: number): void {
    for (let n = 0; n < count && this.handedOver < this.events.length; n++) {
      const event = this.events[this.handedOver++] as Event;
      this.known.add(event);
      this.append('deliveries', event, this.epoch, 0, 0);
    }
  }

  /** The subscription catches up: what was handed over is brought by something else, whatever becomes of its records. */
  catchUp(): void {
    this.epoch++;
    for (const event of this.known) this.through.add(event);
    this.carryOut(this.gate.supersede('sub', this.now));
  }

  /** A copy of hand-overs that were made already: the worker of the events died before its commit. */
  handOverAgain(back: number): void {
    this.handedOver = Math.max(0, this.handedOver - back);
  }

  read(lane: string, count: number): void {
    const log = this.logs.get(lane) as Log;
    for (let n = 0; n < count && log.next < log.records.length;) {
      const record = log.records[log.next++] as Record;
      if (log.complete.has(record.offset)) continue;
      n++;
      this.arrive(record);
    }
  }

  /** Records that were rejected are given again. */
  giveAgain(): void {
    for (const record of this.again.splice(0)) this.arrive(record);
  }

  pass(ms: number): void {
    this.now += ms;
    const due = this.inHand.filter(({ dueAt }) => dueAt <= this.now);
    this.inHand = this.inHand.filter(({ dueAt }) => dueAt > this.now);
    for (const record of due) this.carryOut(this.gate.ready(record, this.now));
    this.carryOut(this.gate.tick(this.now));
  }

  /** @param isLost its outcome could not be written: the record is given again */
  succeed(index: number, isLost = false): void {
    const running = this.attempts[index];
    if (running === undefined || running.writtenMs !== undefined) return;
    this.attempts.splice(index, 1);
    const { record } = running;
    this.through.add(record.event);
    if (isLost) this.again.push(record);
    else this.complete(record);
    this.carryOut(this.gate.finished(record, { kind: isLost ? 'again' : 'passed' }, this.now));
  }

  /** The endpoint refuses it: the record stands in the tier, but whether it does is not known yet. */
  fail(index: number, tier: number): void {
    const running = this.attempts[index];
    if (running === undefined || running.writtenMs !== undefined) return;
    const { lane, delayMs } = TIERS[tier % TIERS.length] as (typeof TIERS)[number];
    const { event, epoch, attempts } = running.record;
    this.append(lane, event, epoch, attempts + 1, this.now + delayMs);
    running.writtenMs = delayMs;
    this.failures++;
  }

  /** What was written is acknowledged; or it is lost that it was, and the record is given again. */
  acknowledge(index: number, isLost: boolean): void {
    const running = this.attempts[index];
    if (running?.writtenMs === undefined) return;
    this.attempts.splice(index, 1);
    this.leave(running.record, running.writtenMs, isLost);
  }

  writeMove(index: number): void {
    const move = this.moves[index];
    if (move === undefined || move.written) return;
    const { lane, delayMs } = TIERS.find((tier) => tier.delayMs >= move.delayMs) ?? TIERS[1];
    const { event, epoch, attempts } = move.record;
    this.append(lane, event, epoch, attempts, this.now + delayMs);
    move.delayMs = delayMs;
    move.written = true;
  }

  acknowledgeMove(index: number, isLost: boolean): void {
    const move = this.moves[index];
    if (move?.written !== true) return;
    this.moves.splice(index, 1);
    this.leave(move.record, move.delayMs, isLost);
  }

  commit(): void {
    for (const log of this.logs.values()) for (const offset of log.complete) log.committed.add(offset);
  }

  /** The owner dies; another takes the lanes over, and what the dead one still had on its way arrives late. */
  takeOver(lateWrites: number): void {
    const late = [...this.attempts, ...this.moves].slice(0, lateWrites).map(({ record }) => record);
    this.attempts = [];
    this.moves = [];
    this.inHand = [];
    this.again = [];
    for (const log of this.logs.values()) {
      log.complete.clear();
      for (const offset of log.committed) log.complete.add(offset);
      log.next = 0;
    }
    this.gate = new OrderingGate(this.gateRules);
    this.scan();
    for (const { event, epoch, attempts } of late) this.append('short', event, epoch, attempts, this.now + 10);
  }

  /** Everything succeeds from now on. @returns whether all was through within so many rounds */
  settle(rounds: number): boolean {
    for (let n = 0; n < rounds; n++) {
      this.handOver(5);
      for (const lane of LANES) this.read(lane, 50);
      for (let i = this.attempts.length - 1; i >= 0; i--) this.acknowledge(i, false);
      while (this.attempts.length > 0) this.succeed(0);
      for (let i = this.moves.length - 1; i >= 0; i--) {
        this.writeMove(i);
        this.acknowledgeMove(i, false);
      }
      this.giveAgain();
      this.pass(5);
      if (this.isSettled) return true;
    }
    return false;
  }

  private scan(): void {
    const bounds = new ScanBounds();
    for (const { lane } of TIERS)
      for (const record of this.incomplete(lane)) {
        this.gate.found(record);
        bounds.foundInTier('events', record);
      }
    const { records, complete } = this.logs.get('deliveries') as Log;
    const lastComplete = Math.max(-1, ...complete);
    for (const record of records) {
      if (complete.has(record.offset)) this.gate.foundComplete(record);
      else if (bounds.isOpen || record.offset < lastComplete) this.gate.found(record);
      else break;
      bounds.foundAnew('events', record);
    }
  }

  private get isSettled(): boolean {
    return (
      this.handedOver === this.events.length &&
      this.events.every((event) => this.through.has(event)) &&
      LANES.every((lane) => this.incomplete(lane).length === 0) &&
      this.gate.outstanding === 0
    );
  }

  private incomplete(lane: string): Record[] {
    const { records, complete } = this.logs.get(lane) as Log;
    return records.filter(({ offset }) => !complete.has(offset));
  }

  private append(lane: string, event: Event, epoch: number, attempts: number, dueAt: number): void {
    const { records } = this.logs.get(lane) as Log;
    const { key, partition, offset: at } = event;
    const source = { partition, offset: at, at };
    const fromTier = lane !== 'deliveries';
    const offset = records.length;
    records.push({ event, group: 'sub', key, source, epoch, lane, offset, fromTier, attempts, dueAt });
  }

  private arrive(record: Record): void {
    if (record.dueAt > this.now) this.inHand.push(record);
    this.carryOut(this.gate.arrive(record, this.now));
  }

  private leave(record: Record, delayMs: number, isLost: boolean): void {
    if (isLost) this.again.push(record);
    else this.complete(record);
    this.carryOut(this.gate.finished(record, isLost ? { kind: 'again' } : { kind: 'away', forMs: delayMs }, this.now));
  }

  private complete({ lane, offset }: Record): void {
    this.logs.get(lane)?.complete.add(offset);
  }

  private carryOut(verdicts: readonly GateVerdict<Record>[]): void {
    for (const verdict of verdicts) {
      const { work: record } = verdict;
      if (verdict.kind === 'go') this.send(record);
      else if (verdict.kind === 'move') this.moves.push({ record, delayMs: verdict.waitMs, written: false });
      else this.complete(record);
    }
  }

  private send(record: Record): void {
    const { event } = record;
    this.attempts.push({ record });
    this.sends.push(event);
    if (record.epoch < this.epoch) this.violations.push(`${event.offset} was sent, and something else brings it`);
    if (record.dueAt > this.now) this.violations.push(`${event.offset} was sent early`);
    if (this.through.has(event)) return;
    const before = this.events.find(
      (other) => other.key === event.key && other.offset < event.offset && !this.through.has(other),
    );
    if (before !== undefined) this.violations.push(`${event.offset} was sent before ${before.offset}`);
  }
}
