import type { PartitionerArgs } from 'kafkajs';
import type { PendingRecord } from './pending-record.js';

/** Named as kafkajs names stale metadata, which makes it look again before its second try. */
class LeaderUnfit extends Error {
  override name = 'KafkaJSMetadataNotLoaded';
}

/**
 * Keeps every send on one broker. kafkajs asks it for partitions with the metadata that it is about to route by, so this
 * is the last moment at which a send that would span two leaders can be stopped: with two, a failure of one leaves
 * unknown what the other has taken and which sequence comes next (kafkajs #1303).
 */
export class SingleLeaderGuard {
  private first: PendingRecord | undefined;
  private leader = -1;
  private topic = '';
  private partition = -1;
  private doubtful = false;

  /** A new send begins; `first` is its first record, by which kafkajs' own second try is known as well. */
  begin(first: PendingRecord | undefined): void {
    this.first = first;
  }

  /** Before the next send kafkajs has to look where the leaders are: by itself it doesn't after a timeout. */
  doubtLeaders(): void {
    this.doubtful = true;
  }

  readonly createPartitioner =
    () =>
    (args: PartitionerArgs): number => {
      const record = args.message as PendingRecord;
      if (this.doubtful) {
        this.doubtful = false;
        throw new LeaderUnfit('the leaders may have moved');
      }
      if (record === this.first) {
        this.leader = -1;
        this.partition = -1;
      }
      if (record.partition !== this.partition || args.topic !== this.topic) this.check(args, record.partition);
      return record.partition;
    };

  private check({ topic, partitionMetadata }: PartitionerArgs, partition: number): void {
    const leader = partitionMetadata.find(({ partitionId }) => partitionId === partition)?.leader;
    // kafkajs leaves out a partition that it doesn't know, and calls the send a success.
    if (leader === undefined || leader < 0) throw new LeaderUnfit(`${topic} ${partition} has no leader`);
    if (this.leader >= 0 && leader !== this.leader) {
      throw new LeaderUnfit(`${topic} ${partition} is led by ${leader}, not by ${this.leader}`);
    }
    this.leader = leader;
    this.topic = topic;
    this.partition = partition;
  }
}
