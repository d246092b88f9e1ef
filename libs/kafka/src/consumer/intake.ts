import type { OwnedPartition } from './owned-partition.js';
import type { OwnedPartitions } from './owned-partitions.js';

/** What can be told to stop and go on fetching a partition; a session is one. */
export interface Fetching {
  pause(topic: string, partition: number): void;
  resume(topic: string, partition: number): void;
}

const TOTAL = 'total';

/** Decides which partitions are read, by the reasons of each and of all, and counts what is in flight. */
export class Intake {
  /** Why nothing at all is taken. */
  private readonly gates = new Set<string>();
  private count = 0;
  private whenDrained: (() => void)[] = [];

  constructor(
    private readonly owned: OwnedPartitions,
    private readonly most: number,
    private readonly fetching: () => Fetching | undefined,
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

  /** Tells kafkajs where the reasons have changed something. */
  apply(partition: OwnedPartition): void {
    const fetching = this.fetching();
    const wanted = this.isPaused(partition) ? 'paused' : 'resumed';
    if (!partition.alive || fetching === undefined || wanted === partition.told) return;
    partition.told = wanted;
    if (wanted === 'paused') fetching.pause(partition.topic, partition.partition);
    else fetching.resume(partition.topic, partition.partition);
  }

  /** To be called when records were taken or partitions let go of. */
  recount(): void {
    this.count = this.owned.inFlight;
    this.check();
  }

  /** To be called when so many records left what is in flight. */
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
    const isPaused = this.gates.has(TOTAL);
    // Only added up where it may matter: this is asked for every record.
    const counted = isPaused || this.count >= this.most ? this.count - this.owned.aside : this.count;
    if (counted >= this.most) this.pause(TOTAL);
    else if (isPaused && counted <= this.most / 2) this.resume(TOTAL);
    if (this.count === 0) for (const resolve of this.whenDrained.splice(0)) resolve();
  }

  private applyToAll(): void {
    for (const each of this.owned.values()) this.apply(each);
  }
}
