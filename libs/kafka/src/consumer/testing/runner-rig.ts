import type { Admin, ISocketFactory, Kafka, Producer } from 'kafkajs';
import { decodeOffsetMetadata, type OffsetRun } from '@hookline/domain';
import { createTopics, testKafkaBrokers, uniqueName, waitUntil } from '@hookline/testing';
import { systemClock } from '@hookline/platform';
import { createKafka } from '../../client.js';
import type { Output } from '../../producer/output.js';
import { OffsetRunner } from '../offset-runner.js';
import type { RunnerOptions } from '../runner-options.js';
import { HandledLog } from './handled-log.js';

/** For everything that must happen on a busy machine. */
export const DEADLINE_MS = 75_000;
/** Of a runner that is to be cut off: the group notices that after so long; the broker allows no less. */
export const SHORT_SESSION_MS = 6_000;

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** @param socketFactory leads the client over another way */
export function testKafka(socketFactory?: ISocketFactory): Kafka {
  const config = { brokers: testKafkaBrokers(), clientId: 'test', tls: false, saslMechanism: 'none' as const };
  const unset = { tlsCaFile: undefined, tlsCertFile: undefined, tlsKeyFile: undefined };
  return createKafka(
    { ...config, ...unset, saslUsername: undefined, saslPassword: undefined },
    { role: 'runner', logger: quiet, ...(socketFactory ? { socketFactory } : {}) },
  );
}

export interface RunnerUnderTest {
  runner: OffsetRunner;
  log: HandledLog;
}

/** Topics, records and runners of one test on a real Kafka; everything has a fresh name. */
export class RunnerRig {
  readonly groupId = uniqueName('group');
  readonly kafka: Kafka = testKafka();
  readonly admin: Admin = this.kafka.admin();
  private readonly producer: Producer = this.kafka.producer({ idempotent: true });
  private readonly runners: RunnerUnderTest[] = [];
  /** Writes to partition 0. */
  readonly output: Output = {
    produce: async ({ topic, key, value }) => {
      const [sent] = await this.producer.send({
        topic,
        acks: -1,
        messages: [{ partition: 0, key: key ?? null, value }],
      });
      return { partition: 0, offset: Number(sent?.baseOffset) };
    },
  };

  static async open(): Promise<RunnerRig> {
    const rig = new RunnerRig();
    await Promise.all([rig.admin.connect(), rig.producer.connect()]);
    return rig;
  }

  async close(): Promise<void> {
    for (const { log } of this.runners) {
      log.hold = () => false;
      log.release();
    }
    await Promise.all(this.runners.map(({ runner }) => runner.stop()));
    await Promise.all([this.admin.disconnect(), this.producer.disconnect()]);
  }

  async topic(partitions: number): Promise<string> {
    const topic = uniqueName('topic');
    const configEntries = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }];
    await createTopics(this.admin, [{ topic, numPartitions: partitions, replicationFactor: -1, configEntries }]);
    return topic;
  }

  /** @returns the ids that the records carry as their values */
  async produce(topic: string, partition: number, count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => uniqueName('record'));
    await this.producer.send({ topic, acks: -1, messages: ids.map((value) => ({ partition, value })) });
    return ids;
  }

  /** A runner with short times but that of its session, its handler logging into a log of its own. */
  runner(topics: string[], options: Partial<RunnerOptions> = {}): RunnerUnderTest {
    const log = new HandledLog();
    const runner = new OffsetRunner({
      kafka: this.kafka,
      groupId: this.groupId,
      topics,
      handler: (records) => log.handle(records),
      clock: systemClock,
      logger: quiet,
      commitIntervalMs: 50,
      // A machine that stands still for ten seconds is no reason to hand anything over again.
      sessionTimeoutMs: 30_000,
      heartbeatIntervalMs: 300,
      drainMs: DEADLINE_MS,
      ...options,
    });
    this.runners.push({ runner, log });
    return { runner, log };
  }

  async members(): Promise<number> {
    const { groups } = await this.admin.describeGroups([this.groupId]);
    return groups[0]?.members.length ?? 0;
  }

  async committed(topic: string, partition: number): Promise<{ offset: number; metadata: string }> {
    const [found] = await this.admin.fetchOffsets({ groupId: this.groupId, topics: [topic] });
    const entry = found?.partitions.find((each) => each.partition === partition);
    return { offset: Number(entry?.offset), metadata: entry?.metadata ?? '' };
  }

  committedUpTo(topic: string, partition: number, offset: number): Promise<unknown> {
    return waitUntil(async () => (await this.committed(topic, partition)).offset === offset, {
      deadlineMs: DEADLINE_MS,
      what: `offset ${offset} of partition ${partition} to be committed`,
      seen: () => this.committed(topic, partition),
    });
  }

  /** Waits until the broker says that this is complete above the committed offset. */
  committedAbove(topic: string, partition: number, offset: number, complete: readonly OffsetRun[]): Promise<unknown> {
    return waitUntil(
      async () => {
        const committed = await this.committed(topic, partition);
        const { complete: runs } = decodeOffsetMetadata(committed.offset, committed.metadata);
        return committed.offset === offset && JSON.stringify(runs) === JSON.stringify(complete);
      },
      {
        deadlineMs: DEADLINE_MS,
        what: `offset ${offset} to be committed with what is complete above it`,
        seen: () => this.committed(topic, partition),
      },
    );
  }

  /** kafkajs finds the leaders only of topics that this client has asked about before. */
  async deleteBelow(topic: string, partition: number, offset: number): Promise<void> {
    await this.admin.fetchTopicOffsets(topic);
    await this.admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  }

  /** Waits until the runner has exactly these partitions of the topic, restored and ready to be read. */
  owns(runner: OffsetRunner, topic: string, partitions: number): Promise<unknown> {
    return waitUntil(
      () => {
        const own = runner.stats().partitions.filter((each) => each.topic === topic);
        return own.length === partitions && own.every(({ paused }) => !paused.includes('restoring'));
      },
      { deadlineMs: DEADLINE_MS, what: `the runner to own ${partitions} partitions`, seen: () => runner.stats() },
    );
  }
}
