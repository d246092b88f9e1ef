import type { OwnedPartition } from './owned-partition.js';
import { partitionKey } from './runner-options.js';

/** What this member owns now. */
export class OwnedPartitions {
  private readonly owned = new Map<string, OwnedPartition>();

  get(topic: string, partition: number): OwnedPartition | undefined {
    return this.owned.get(partitionKey(topic, partition));
  }

  add(partition: OwnedPartition): void {
    this.owned.set(partitionKey(partition.topic, partition.partition), partition);
  }

  /** @returns whether it was there */
  remove(partition: OwnedPartition): boolean {
    const key = partitionKey(partition.topic, partition.partition);
    return this.owned.get(key) === partition && this.owned.delete(key);
  }

  values(): OwnedPartition[] {
    return [...this.owned.values()];
  }

  /** What is in flight and worked on. */
  get inFlight(): number {
    let sum = 0;
    for (const each of this.owned.values()) sum += each.working;
    return sum;
  }

  /** How many of those are set aside. */
  get aside(): number {
    let sum = 0;
    for (const each of this.owned.values()) sum += each.aside;
    return sum;
  }

  /** The partition numbers, over all topics. */
  numbers(): number[] {
    return [...new Set(this.values().map(({ partition }) => partition))].sort((a, b) => a - b);
  }
}
