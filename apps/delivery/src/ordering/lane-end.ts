import { TopicOffsets } from '@hookline/kafka';
import type { Kafka } from 'kafkajs';

/** Where a partition of a lane ends now: the offset that the next record gets. @throws when Kafka doesn't answer */
export type LaneEnd = (lane: string, partition: number) => Promise<number>;

/** It is asked for so rarely that it has a connection of its own. */
export function laneEndOf(kafka: Kafka): LaneEnd {
  return async (lane, partition) => {
    const admin = kafka.admin();
    try {
      await admin.connect();
      const bounds = await new TopicOffsets(admin).bounds(lane);
      const found = bounds.find((each) => each.partition === partition);
      if (found === undefined) throw new Error(`${lane} has no partition ${partition}`);
      return found.high;
    } finally {
      await admin.disconnect();
    }
  };
}
