import type { Clock } from '@hookline/platform';
import type { Kafka, Producer, RecordMetadata, TopicMessages } from 'kafkajs';
import { REPLICATION_TIMEOUT_MS } from '../client.js';
import { groupedRecords } from './grouped-records.js';
import type { PartitionBatch } from './partition-batch.js';
import type { PendingRecord } from './pending-record.js';
import { SingleLeaderGuard } from './single-leader-guard.js';
import { atMost, inTime } from './waiting.js';

/** kafkajs restarts a partition's sequence wrongly at 2^31; long before that a fresh producer takes over. */
const RECORDS_IN_A_LIFE = 2 ** 30;
const GOODBYE_MS = 5_000;
const CONNECT_MS = 8_000;

/**
 * A producer whose sends are either all in, or can be repeated as they were: one at a time, to one broker. kafkajs
 * takes back the sequences of a send that failed, so the same records get the same sequences, and a broker that
 * has them already answers with their first offsets.
 */
export class IdempotentProducer {
  private readonly guard = new SingleLeaderGuard();
  private producer: Producer | undefined;
  private connected = false;
  private connecting: Promise<void> | undefined;
  private sent = 0;

  constructor(
    private readonly kafka: Kafka,
    private readonly clock: Clock,
  ) {}

  /** The next piece of each batch. @throws whatever kafkajs throws; then it is unknown what was appended */
  async send(batches: readonly PartitionBatch[]): Promise<RecordMetadata[]> {
    const producer = await this.ready();
    const topicMessages = group(batches);
    this.guard.begin(topicMessages[0]?.messages[0] as PendingRecord | undefined);
    for (const { messages } of topicMessages) this.sent += messages.length;
    return producer.sendBatch({ acks: -1, timeout: REPLICATION_TIMEOUT_MS, topicMessages });
  }

  async warm(): Promise<void> {
    await this.ready();
  }

  /** What comes next is sent only after another look at who leads what. */
  doubtLeaders(): void {
    this.guard.doubtLeaders();
  }

  /** New connections; the identity and the sequences stay. */
  async reconnect(): Promise<void> {
    this.connected = false;
    if (this.producer) await this.sayGoodbye(this.producer);
  }

  /** A new identity: what the old one has out may be appended a second time. */
  async replace(): Promise<void> {
    const old = this.producer;
    this.producer = undefined;
    this.connected = false;
    this.sent = 0;
    if (old) await this.sayGoodbye(old);
  }

  /** Between two sends, when nothing is out: then a new identity costs nothing. */
  async renewIfWorn(): Promise<void> {
    if (this.sent > RECORDS_IN_A_LIFE) await this.replace();
  }

  async close(): Promise<void> {
    await this.replace();
  }

  private async ready(): Promise<Producer> {
    this.producer ??= this.kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner: this.guard.createPartitioner,
      // The lane decides what comes after a failure; what is left here lets kafkajs look for the leaders and try again.
      retry: { retries: 1, initialRetryTime: 50 },
    });
    const producer = this.producer;
    if (!this.connected) {
      // Shared: a second one beside it could give the producer another identity.
      this.connecting ??= this.connect(producer).finally(() => (this.connecting = undefined));
      await this.connecting;
    }
    return producer;
  }

  /** @throws Error; a producer without a history is dropped then, so that the next one begins at another broker */
  private async connect(producer: Producer): Promise<void> {
    try {
      const connecting = producer.connect().then(async () => {
        // It took so long that it was given up.
        if (this.producer !== producer) await producer.disconnect();
      });
      await inTime(this.clock, CONNECT_MS, connecting, 'Kafka did not let us connect');
      this.connected = true;
    } catch (error) {
      if (this.sent === 0) await this.replace();
      throw error;
    }
  }

  /** kafkajs waits for requests that a dead broker never answers. */
  private sayGoodbye(producer: Producer): Promise<void> {
    return atMost(
      this.clock,
      GOODBYE_MS,
      producer.disconnect().catch(() => undefined),
    );
  }
}

function group(batches: readonly PartitionBatch[]): TopicMessages[] {
  const topics: { topic: string; messages: PendingRecord[] }[] = [];
  for (const batch of batches) {
    const same = topics.find(({ topic }) => topic === batch.queue.topic);
    if (same) same.messages = same.messages.concat(batch.piece);
    else topics.push({ topic: batch.queue.topic, messages: batch.piece as PendingRecord[] });
  }
  return topics.map(({ topic, messages }) => ({ topic, messages: groupedRecords(messages) })) as TopicMessages[];
}
