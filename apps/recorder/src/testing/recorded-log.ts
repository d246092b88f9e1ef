import { randomBytes } from 'node:crypto';
import {
  encodeEventHeaders,
  encodeOutcome,
  type AttemptOutcome,
  type LogPosition,
  TOPICS,
  type OutcomeRecord,
} from '@hookline/contracts';
import { loadConfig, topicsSection, type TopicsConfig } from '@hookline/config';
import { ensureTopics, topicPlan } from '@hookline/kafka';
import { silentLogger } from '@hookline/platform';
import {
  createTestDatabase,
  testKafkaBrokers,
  testReplication,
  uniqueName,
  type TestDatabase,
} from '@hookline/testing';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { createDataSource, migrate } from '@hookline/persistence';
import type { DataSource } from 'typeorm';
import type { RecordedTopics } from '../entry.js';

export const TENANT = 'ten_1';
export const EVENT_PARTITIONS = 3;

type Delivery = NonNullable<OutcomeRecord['delivery']>;

/** Topics, a migrated database, and what a test needs to write the one and read the other. */
export class RecordedLog {
  private constructor(
    readonly kafka: Kafka,
    readonly topics: RecordedTopics,
    readonly database: TestDatabase,
    readonly dataSource: DataSource,
    private readonly producer: Producer,
  ) {}

  /** @param topics unique ones where they are left out */
  static async create(
    topics: RecordedTopics = { events: uniqueName('events'), attempts: uniqueName('attempts') },
  ): Promise<RecordedLog> {
    const kafka = new Kafka({
      brokers: testKafkaBrokers(),
      clientId: 'recorder-test',
      connectionTimeout: 10_000,
      logLevel: logLevel.NOTHING,
    });
    const admin = kafka.admin();
    await admin.connect();
    const plan = topicPlan(topicsConfig(), []).filter(({ name }) => name === TOPICS.events || name === TOPICS.attempts);
    const named = plan.map((spec) => ({
      ...spec,
      name: spec.name === TOPICS.events ? topics.events : topics.attempts,
    }));
    await ensureTopics(admin, named, silentLogger);
    await admin.disconnect();
    const database = await createTestDatabase();
    const dataSource = await createDataSource({ ...databaseOf(database.url), connectTimeoutMs: 30_000 }).initialize();
    await migrate(dataSource);
    // Nothing that the test itself writes is there twice.
    const producer = kafka.producer({ idempotent: true });
    await producer.connect();
    return new RecordedLog(kafka, topics, database, dataSource, producer);
  }

  async close(): Promise<void> {
    await this.producer.disconnect();
    await this.dataSource.destroy();
    await this.database.drop();
  }

  /** Appends events with these ids to a partition, and gives their positions. */
  async events(partition: number, ids: readonly string[]): Promise<LogPosition[]> {
    const [first] = await this.producer.send({
      topic: this.topics.events,
      messages: ids.map((id) => ({
        partition,
        value: Buffer.from(`{"id":"${id}"}`),
        headers: encodeEventHeaders({ tenant: TENANT, id, type: 'order.created', time: '2026-11-22T10:00:00Z' }),
      })),
    });
    const base = Number(first?.baseOffset);
    return ids.map((_, index) => ({ partition, offset: base + index, at: Number(first?.logAppendTime) }));
  }

  async outcomes(outcomes: readonly OutcomeRecord[], partition = 0): Promise<void> {
    await this.raw(this.topics.attempts, partition, outcomes.map(encodeOutcome));
  }

  /** Events with one delivered outcome each. */
  async delivered(partition: number, ids: readonly string[]): Promise<void> {
    const positions = await this.events(partition, ids);
    await this.outcomes(
      positions.map((source, index) => outcomeOf(source, ids[index] as string, { state: 'delivered' })),
      partition % 2,
    );
  }

  /** Enabled subscriptions at version 1. */
  async subscribed(ids: readonly string[]): Promise<void> {
    await this.dataSource.query('INSERT INTO tenants (id, name) VALUES ($1, $1) ON CONFLICT DO NOTHING', [TENANT]);
    await this.dataSource.query(
      `INSERT INTO subscriptions (id, tenant_id, url, types, status, sealed, version)
       SELECT id, $2, 'http://x', '{*}', 'enabled', '', 1 FROM unnest($1::text[]) AS s(id)`,
      [ids, TENANT],
    );
  }

  /** For each subscription an event whose attempt was answered with 410, by a worker that knew that version. */
  async gone(partition: number, subscriptionIds: readonly string[], version = 1): Promise<void> {
    const positions = await this.events(partition, subscriptionIds);
    const outcomes = positions.map((source, index): OutcomeRecord => {
      const subscriptionId = subscriptionIds[index] as string;
      const attempt = attemptOf(1, { status: 410 });
      const delivery = { subscriptionId, attempt, state: 'dead-lettered', reason: 'endpoint-gone' } as const;
      return { ...outcomeOf(source, subscriptionId, delivery), gone: { subscriptionId, version } };
    });
    await this.outcomes(outcomes, partition % 2);
  }

  /** The disabled subscriptions with their versions, and the outbox's rows, by id. */
  async disabled(): Promise<{ rows: string[]; outbox: string[] }> {
    const read = async (sql: string): Promise<string[]> =>
      (await this.dataSource.query<{ it: string }[]>(`${sql} ORDER BY 1`)).map((row) => row.it);
    return {
      rows: await read(
        `SELECT id || ' ' || version AS it FROM subscriptions WHERE disabled_reason = 'endpoint-gone' AND disabled_at IS NOT NULL`,
      ),
      outbox: await read(`SELECT key || ' ' || version AS it FROM outbox WHERE payload->>'status' = 'disabled'`),
    };
  }

  /** Records that are nobody's. */
  async raw(topic: string, partition: number, values: readonly Buffer[]): Promise<void> {
    await this.producer.send({ topic, messages: values.map((value) => ({ partition, value })) });
  }

  /** Deletes the records below an offset, as retention would. */
  async letGo(topic: string, partition: number, offset: number): Promise<void> {
    const admin = this.kafka.admin();
    await admin.connect();
    // It knows the leaders of no topic yet.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
    await admin.disconnect();
  }

  async count(sql: string): Promise<number> {
    const [row] = await this.dataSource.query<{ count: string }[]>(`SELECT count(*) FROM ${sql}`);
    return Number(row?.count);
  }

  /** The ids of the events in the table, each as often as it is there. */
  async eventIds(): Promise<string[]> {
    const rows = await this.dataSource.query<{ event_id: string }[]>('SELECT event_id FROM events ORDER BY event_id');
    return rows.map((row) => row.event_id);
  }

  /** The event ids of the attempts' deliveries, each as often as there is an attempt. */
  async attemptedIds(): Promise<string[]> {
    const rows = await this.dataSource.query<{ event_id: string }[]>(
      'SELECT d.event_id FROM attempts a JOIN deliveries d USING (delivery_id) ORDER BY 1',
    );
    return rows.map((row) => row.event_id);
  }
}

function topicsConfig(): TopicsConfig {
  const { topics } = loadConfig({ topics: topicsSection }, {});
  return { ...topics, ...testReplication(), eventPartitions: EVENT_PARTITIONS, attemptPartitions: 2 };
}

export function databaseOf(url: string) {
  return {
    url,
    tls: false,
    tlsCaFile: undefined,
    poolSize: 4,
    connectTimeoutMs: 2_000,
    statementTimeoutMs: 30_000,
  };
}

export const newDeliveryId = (): string => `msg_${randomBytes(16).toString('hex')}`;

export function attemptOf(number: number, changes: Partial<AttemptOutcome> = {}): AttemptOutcome {
  return { id: randomBytes(8).toString('hex'), number, at: Date.now(), durationMs: 3.5, status: 200, ...changes };
}

/** An outcome of an event that matched one subscription, after its first attempt. */
export function outcomeOf(source: LogPosition, eventId: string, delivery: Partial<Delivery>): OutcomeRecord {
  const subscriptionId = delivery.subscriptionId ?? 'sub_1';
  return {
    v: 1,
    tenant: TENANT,
    eventId,
    type: 'order.created',
    source,
    matched: [subscriptionId],
    delivery: { id: newDeliveryId(), subscriptionId, state: 'delivered', attempt: attemptOf(1), ...delivery },
  };
}

/** An outcome without a delivery. */
export function routeOf(source: LogPosition, eventId: string, matched: string[], duplicateOf?: number): OutcomeRecord {
  const route: OutcomeRecord = { v: 1, tenant: TENANT, eventId, type: 'order.created', source, matched };
  return duplicateOf === undefined ? route : { ...route, duplicateOf };
}

export const idsOf = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(5, '0')}`);
