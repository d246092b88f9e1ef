import type { OwnedPartition } from './owned-partition.js';
import type { OwnedPartitions } from './owned-partitions.js';
import type { LogRecord } from './record.js';

/** What can be told to stop and go on fetching a partition; a session is one. */
export interface Fetching {
  pause(topic: string, partition: number): void;
  resume(topic: string, partition: number): void;
}

export interface IntakePorts {
  /** Undefined while there is none. */
  fetching(): Fetching | undefined;
  /** Whether what was fetched may be handed over now, for all that the group knows. */
  mayGive(): boolean;
  give(partition: OwnedPartition, records: readonly LogRecord[]): void;
}

const TOTAL = 'total';
/** At the limit nothing is handed over until this part of it is free: one record at a time would cost more. */
const FREE = 0.1;

/**
 * Decides which partitions are fetched and when what was fetched is handed over, by the reasons of each and of all, and counts
 * what is in flight.
 */
export class Intake {
  /** Why nothing at all is taken. */
  private readonly gates = new Set<string>();
  private count = 0;
  private whenDrained: (() => void)[] = [];
  private giving = false;
  /** With whom the next round begins: where there is room for few, it is not for the same ones each time. */
  private turn = 0;

  constructor(
    private readonly owned: OwnedPartitions,
    private readonly most: number,
    private readonly ports: IntakePorts,
  ) {}

  get inFlight(): number {
    return this.count;
  }

  get reasons(): readonly string[] {
    return [...this.gates];
  }

  /** Paused by somebody else than the limit of what is in flight. */
  get gated(): boolean {
    return this.gates.size > (this.gates.has(TOTAL) ? 1 : 0);
  }

  pause(reason: string): void {
    this.gates.add(reason);
    this.applyToAll();
  }

  resume(reason: string): void {
    if (this.gates.delete(reason)) this.applyToAll();
  }

  isPaused(partition: OwnedPartition): boolean {
    return this.gates.size > 0 || partition.pauses.size > 0;
  }

  /** To be called where the reasons of a partition, or what was fetched of it, may have changed. */
  apply(partition: OwnedPartition): void {
    if (partition.waiting > 0 && !this.isPaused(partition)) this.give();
    this.tell(partition);
  }

  applyToAll(): void {
    for (const each of this.owned.values()) this.apply(each);
  }

  /** To be called when partitions were let go of. */
  recount(): void {
    this.count = this.owned.inFlight;
    this.check();
  }

  /**
   * To be called when so many records of a partition are complete. First they are in no count any more: what is handed over
   * then counts all anew.
   */
  completed(partition: OwnedPartition, records: number): void {
    this.settled(records);
    this.apply(partition);
  }

  /** To be called when so many records left what is in flight, and nothing else has changed. */
  settled(records: number): void {
    this.count -= records;
    this.check();
  }

  /** Resolves when nothing is in flight. */
  drained(): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    return new Promise((resolve) => this.whenDrained.push(resolve));
  }

  /** To be called when a record was set aside. */
  setAside(): void {
    this.check();
  }

  private check(): void {
    const isFull = this.gates.has(TOTAL);
    // Only added up where it may matter: this is asked for every record.
    const counted = isFull || this.count >= this.most ? this.counted() : this.count;
    if (counted >= this.most) this.gates.add(TOTAL);
    else if (isFull && counted <= this.most * (1 - FREE)) this.resume(TOTAL);
    if (this.count === 0) for (const resolve of this.whenDrained.splice(0)) resolve();
  }

  private counted(): number {
    return this.count - this.owned.aside;
  }

  /** Hands over what was fetched, as far as there is room: to each partition its part of it, so that none waits for the others. */
  private give(): void {
    if (this.giving || !this.ports.mayGive()) return;
    this.giving = true;
    try {
      this.giveInTurn();
    } finally {
      this.giving = false;
    }
  }

  private giveInTurn(): void {
    for (let ready = this.ready(); ready.length > 0; ready = this.ready()) {
      const part = Math.ceil((this.most - this.counted()) / ready.length);
      for (const partition of ready) if (!this.isPaused(partition)) this.giveOf(partition, part);
    }
  }

  private giveOf(partition: OwnedPartition, most: number): void {
    const records = partition.take(Math.min(most, this.most - this.counted()));
    this.recount();
    if (records.length > 0) this.ports.give(partition, records);
    this.tell(partition);
  }

  private ready(): OwnedPartition[] {
    const ready = this.owned.values().filter((each) => each.waiting > 0 && !this.isPaused(each));
    if (ready.length < 2) return ready;
    const first = this.turn++ % ready.length;
    return [...ready.slice(first), ...ready.slice(0, first)];
  }

  /** Tells kafkajs where something has changed. What is full is fetched on: that is what waits when there is room again. */
  private tell(partition: OwnedPartition): void {
    const fetching = this.ports.fetching();
    const isWanted = partition.pauses.size === 0 && !partition.resting && !this.gated && !partition.hasEnough;
    const wanted = isWanted ? 'resumed' : 'paused';
    if (!partition.alive || fetching === undefined || wanted === partition.told) return;
    partition.told = wanted;
    if (wanted === 'paused') fetching.pause(partition.topic, partition.partition);
    else fetching.resume(partition.topic, partition.partition);
  }
}
