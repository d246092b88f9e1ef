import {
  consumerSection,
  kafkaSection,
  loadConfig,
  publishSection,
  pumpSection,
  sourcesSection,
  topicsSection,
} from '@hookline/config';
import {
  decodeEventHeaders,
  decodeSourceDeadLetter,
  encodeCompacted,
  GENESIS_KEY,
  originText,
  TOPICS,
  type EventEnvelope,
  type SourceDeadLetter,
} from '@hookline/contracts';
import { decodeOffsetMetadata } from '@hookline/domain';
import {
  createKafka,
  ensureTopics,
  ProducerPump,
  RangeReader,
  TopicOffsets,
  topicPlan,
  type Output,
  type ReadRecord,
} from '@hookline/kafka';
import { Metrics, silentLogger, systemClock } from '@hookline/platform';
import {
  createTopics,
  distinct,
  testKafkaBrokers,
  testReplication,
  uniqueName,
  waitUntil,
  type KafkaProxy,
} from '@hookline/testing';
import type { Admin, Kafka, Message, Producer } from 'kafkajs';
import type { SourceDefinition } from '../definition.js';
import { sourceGroup } from '../source.js';
import { createSources, type SourcesRelay } from '../sources.js';

/** For everything that must happen on a busy machine. */
export const DEADLINE_MS = 90_000;

const NEEDED: readonly string[] = [TOPICS.events, TOPICS.deadLetters, TOPICS.credentials, TOPICS.subscriptions];

export interface LoggedEvent extends EventEnvelope {
  partition: number;
  offset: number;
  data: string;
}

export interface RelayUnderTest {
  relay: SourcesRelay;
  metrics: Metrics;
  close(): Promise<void>;
}

/** A tenant, topics of producers, and relays that read them, on a real Kafka; everything has a fresh name. */
export class SourcesRig {
  readonly tenant = uniqueName('ten');
  readonly brokers = testKafkaBrokers();
  readonly kafka: Kafka;
  readonly admin: Admin;
  private readonly producer: Producer;
  private readonly relays: RelayUnderTest[] = [];
  private begin = new Map<string, Map<number, number>>();

  private constructor() {
    this.kafka = createKafka(this.config([]).kafka, { role: 'sources-test', logger: silentLogger });
    this.admin = this.kafka.admin();
    // Nothing that the test itself writes is there twice.
    this.producer = this.kafka.producer({ idempotent: true });
  }

  static async open(): Promise<SourcesRig> {
    const rig = new SourcesRig();
    await Promise.all([rig.admin.connect(), rig.producer.connect()]);
    const { topics } = rig.config([]);
    const plan = topicPlan(topics, []).filter(({ name }) => NEEDED.includes(name));
    await ensureTopics(rig.admin, plan, silentLogger);
    const genesis = { key: GENESIS_KEY, value: encodeCompacted({ v: 1, genesis: true, at: '2026-11-22T00:00:00Z' }) };
    const { tenant } = rig;
    const key = encodeCompacted({ v: 1, version: 1, id: tenant, tenant, hash: '', status: 'active' });
    await rig.send(TOPICS.credentials, [genesis, { key: tenant, value: key }]);
    await rig.send(TOPICS.subscriptions, [genesis]);
    // A broker may not know yet that it leads what was just made.
    for (const topic of [TOPICS.events, TOPICS.deadLetters]) {
      const bounds = await waitUntil(() => rig.bounds(topic), { deadlineMs: DEADLINE_MS, what: `leaders of ${topic}` });
      rig.begin.set(topic, new Map(bounds.map(({ partition, high }) => [partition, high])));
    }
    return rig;
  }

  async close(): Promise<void> {
    await Promise.all(this.relays.map((relay) => relay.close()));
    await Promise.all([this.admin.disconnect(), this.producer.disconnect()]);
  }

  config(sources: readonly SourceDefinition[], env: Record<string, string> = {}) {
    const { replicationFactor, minInsyncReplicas } = testReplication();
    return loadConfig(
      {
        kafka: kafkaSection,
        publish: publishSection,
        pump: pumpSection,
        consumer: consumerSection,
        topics: topicsSection,
        sources: sourcesSection,
      },
      {
        KAFKA_BROKERS: this.brokers.join(','),
        HOOKLINE_SOURCES: JSON.stringify(sources),
        HOOKLINE_SOURCE_TOPIC_POLL: '100ms',
        // A machine that stands still for ten seconds is no reason to read anything again.
        HOOKLINE_SESSION_TIMEOUT: '30s',
        HOOKLINE_REBALANCE_TIMEOUT: '30s',
        HOOKLINE_HEARTBEAT_INTERVAL: '300ms',
        // Many sends: a fault meets one that is out.
        HOOKLINE_FLUSH_MAX_RECORDS: '50',
        HOOKLINE_REPLICATION_FACTOR: String(replicationFactor),
        HOOKLINE_MIN_INSYNC_REPLICAS: String(minInsyncReplicas),
        HOOKLINE_EVENT_PARTITIONS: '3',
        ...env,
      },
    );
  }

  /** @param way leads the relay over a proxy, and its events through another output first */
  relay(
    sources: readonly SourceDefinition[],
    way: { proxy?: KafkaProxy; through?: (output: Output) => Output; env?: Record<string, string> } = {},
  ): RelayUnderTest {
    const { proxy, through = (output) => output, env } = way;
    const config = this.config(sources, env);
    const connect = (to: typeof config.kafka): Kafka =>
      createKafka(to, {
        role: 'relay',
        logger: silentLogger,
        ...(proxy ? { socketFactory: proxy.socketFactory } : {}),
      });
    const { maxBufferedBytes } = config.publish;
    const pump = new ProducerPump(
      { kafka: connect(config.kafka), clock: systemClock, logger: silentLogger },
      { ...config.pump, maxBufferedBytes },
    );
    const metrics = new Metrics('relay');
    const parts = { output: through(pump), connect, clock: systemClock, logger: silentLogger, metrics, drainMs: 2_000 };
    const relay = createSources(config, parts) as SourcesRelay;
    const close = async (): Promise<void> => {
      await relay.drain();
      await pump.stop({ drainMs: 0 });
      await relay.close();
    };
    const under = { relay, metrics, close };
    this.relays.push(under);
    return under;
  }

  async topic(partitions: number, name = uniqueName('orders'), compression = 'producer'): Promise<string> {
    const configEntries = [{ name: 'compression.type', value: compression }];
    const topic = { topic: name, numPartitions: partitions, replicationFactor: -1, configEntries };
    await createTopics(this.admin, [topic]);
    return name;
  }

  send(topic: string, messages: Message[]): Promise<unknown> {
    return this.producer.send({ topic, messages, acks: -1 });
  }

  /** The tenant's events since this rig was opened, each once, in the order of their places. */
  async events(): Promise<LoggedEvent[]> {
    // In the same partition, too: there deduplication looks for it.
    const contentOf = ({ offset: _, ...event }: LoggedEvent): object => event;
    return distinct(await this.eventsWithRepeats(), ({ id }) => id, contentOf);
  }

  async eventsWithRepeats(): Promise<LoggedEvent[]> {
    const found: LoggedEvent[] = [];
    for (const { headers, partition, offset, value } of await this.readSince(TOPICS.events)) {
      const event = headers['event'] === undefined ? undefined : decodeEventHeaders(headers);
      if (event?.tenant === this.tenant) found.push({ ...event, partition, offset, data: value?.toString() ?? '' });
    }
    return found.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  }

  /** The source's dead letters since this rig was opened, one for each record of it. */
  async deadLetters(source: string): Promise<(SourceDeadLetter & { value: Buffer | null })[]> {
    const letters = (await this.readSince(TOPICS.deadLetters)).flatMap(({ headers, value }) => {
      const letter = decodeSourceDeadLetter(headers);
      return letter?.origin.source === source ? [{ ...letter, value }] : [];
    });
    return distinct(
      letters,
      ({ origin }) => originText(origin),
      ({ detail, value }) => [detail, value],
    );
  }

  /** What the group of a source says is done, by partition. */
  async committed(source: string, topic: string): Promise<Map<number, (offset: number) => boolean>> {
    const [found] = await this.admin.fetchOffsets({ groupId: sourceGroup(source), topics: [topic] });
    return new Map(
      found?.partitions.map(({ partition, offset, metadata }) => {
        const watermark = Number(offset);
        const { complete } = decodeOffsetMetadata(Math.max(0, watermark), metadata);
        return [partition, (at: number) => at < watermark || complete.some(({ from, to }) => from <= at && at < to)];
      }),
    );
  }

  until(what: string, condition: () => boolean | Promise<boolean>): Promise<unknown> {
    return waitUntil(condition, { deadlineMs: DEADLINE_MS, what, seen: () => this.seen() });
  }

  /** For a wait that was in vain. */
  private async seen(): Promise<object> {
    const events = await this.eventsWithRepeats();
    return {
      events: events.slice(0, 5).map(({ id, partition, offset }) => `${id} at ${partition}:${offset}`),
      inAll: events.length,
      relays: await Promise.all(
        this.relays.map(async ({ relay, metrics }) => [
          relay.readiness() ?? 'ready',
          (await metrics.text()).match(/^hookline_source_(lag|records_total)\{.*$/gm),
        ]),
      ),
    };
  }

  private async readSince(topic: string): Promise<ReadRecord[]> {
    const begin = this.begin.get(topic);
    const ranges = (await this.bounds(topic)).map(({ partition, high }) => ({
      partition,
      from: begin?.get(partition) ?? 0,
      to: high,
    }));
    const all: ReadRecord[] = [];
    for await (const { records } of new RangeReader(this.kafka).read(topic, ranges)) all.push(...records);
    return all;
  }

  private bounds(topic: string) {
    return new TopicOffsets(this.admin).bounds(topic);
  }
}
