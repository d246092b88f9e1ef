import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kafkaSection, loadConfig } from '@hookline/config';
import type { EmbeddedKafka } from '@hookline/embedded';
import { createKafka, TopicOffsets, type PartitionOffsets } from '@hookline/kafka';
import { silentLogger } from '@hookline/platform';
import { waitUntil } from '@hookline/testing';
import type { Admin, Kafka } from 'kafkajs';

const OFFSETS_TOPIC = '__consumer_offsets';
const IN_SYNC_MS = 180_000;
const ASKED_MS = 60_000;

/** The brokers of a site, as an operator sees them. */
export class Brokers {
  readonly ids: readonly number[];
  readonly client: Kafka;

  constructor(
    readonly kafka: EmbeddedKafka,
    private readonly dataDir: string,
  ) {
    this.ids = kafka.brokers.map((_, index) => index + 1);
    const { kafka: config } = loadConfig({ kafka: kafkaSection }, { KAFKA_BROKERS: kafka.brokers.join() });
    this.client = createKafka(config, { role: 'faults', logger: silentLogger });
  }

  /** Asks over a connection of its own, and again where a broker that is asked is away. */
  ask<T>(what: string, question: (admin: Admin) => Promise<T>): Promise<NonNullable<Exclude<T, false>>> {
    return waitUntil(
      async () => {
        const admin = this.client.admin();
        try {
          await admin.connect();
          return await question(admin);
        } finally {
          await admin.disconnect();
        }
      },
      { deadlineMs: ASKED_MS, what },
    );
  }

  /** Where a topic's log begins and ends. */
  bounds(topic: string): Promise<PartitionOffsets[]> {
    return this.ask(`the offsets of ${topic}`, (admin) => new TopicOffsets(admin).bounds(topic));
  }

  /** The leader of the quorum of controllers, which clients are not told: as the nodes themselves have written it down. */
  controller(): number {
    const states = this.ids
      .map((id) => join(this.dataDir, 'kafka', `broker-${id}`, '__cluster_metadata-0', 'quorum-state'))
      .filter(existsSync)
      .map((file) => JSON.parse(readFileSync(file, 'utf8')) as { leaderId: number; leaderEpoch: number })
      .filter(({ leaderId }) => leaderId > 0)
      .toSorted((a, b) => b.leaderEpoch - a.leaderEpoch);
    if (!states[0]) throw new Error('no node says who the controller is');
    return states[0].leaderId;
  }

  /** The broker that coordinates a consumer group: it leads the partition of the offsets topic that the name hashes to. */
  async coordinatorOf(group: string): Promise<number> {
    const { topics } = await this.ask('the leaders of the offsets topic', (admin) =>
      admin.fetchTopicMetadata({ topics: [OFFSETS_TOPIC] }),
    );
    const partitions = topics[0]?.partitions ?? [];
    const own = Math.abs(javaHash(group)) % partitions.length;
    const leader = partitions.find(({ partitionId }) => partitionId === own)?.leader;
    if (leader === undefined) throw new Error(`nobody coordinates ${group}`);
    return leader;
  }

  /** Until every partition of every topic has all of its copies in sync. */
  async untilInSync(): Promise<void> {
    const inSync = async (): Promise<boolean> => {
      const { topics } = await this.ask('the topics', (admin) => admin.fetchTopicMetadata());
      return topics.every(({ partitions }) => partitions.every(({ isr, replicas }) => isr.length === replicas.length));
    };
    await waitUntil(inSync, { deadlineMs: IN_SYNC_MS, what: 'every copy to be in sync' });
  }
}

/** `String.hashCode` of Java. */
function javaHash(text: string): number {
  let hash = 0;
  // The multiplication wraps around at 32 bits, and what is added to it may go past them by a character.
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash, 31) + text.charCodeAt(i);
  return Math.imul(hash, 1);
}
