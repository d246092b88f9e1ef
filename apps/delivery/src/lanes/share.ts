import { partitionOf } from '@hookline/kafka';

/** What this worker's part of the work is: who owns which subscription, and how many there are to share the rest. */
export interface Share {
  /** How many workers there are, this one included. */
  workers(): number;
  /** Whether this worker owns the subscription, in all its lanes. */
  isOwner(subscriptionId: string): boolean;
  /** The subscription's partition in every lane. */
  lanePartitionOf(subscriptionId: string): number;
}

/** The group that reads the lanes; a runner is one. */
export interface LanesGroup {
  owns(topic: string, partition: number): boolean;
  members(): number;
}

/** The share that the group of the lanes gives: partition p of every lane is one member's. */
export class LaneShare implements Share {
  /**
   * @param lane the topic that stands for all lanes
   * @param partitions how many each lane has, once that is known
   * @param group undefined before it is joined: then nothing is owned
   */
  constructor(
    private readonly lane: string,
    private readonly partitions: () => number,
    private readonly group: () => LanesGroup | undefined,
  ) {}

  workers(): number {
    return this.group()?.members() ?? 1;
  }

  isOwner(subscriptionId: string): boolean {
    return this.group()?.owns(this.lane, this.lanePartitionOf(subscriptionId)) === true;
  }

  lanePartitionOf(subscriptionId: string): number {
    return partitionOf(Buffer.from(subscriptionId), this.partitions());
  }
}
