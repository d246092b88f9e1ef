import { randomBytes } from 'node:crypto';
import { deliverySection, loadConfig, pumpSection, type DeliveryConfig } from '@hookline/config';
import {
  decodeDeadLetterHeaders,
  decodeOutcome,
  encodeCompacted,
  encodeEventHeaders,
  GENESIS_KEY,
  optionalHeader,
  retryDelayOf,
  retryTopic,
  TOPICS,
  type DeadLetter,
  type OutcomeRecord,
  type SubscriptionRecord,
} from '@hookline/contracts';
import { decodeOffsetMetadata, newId, newSigningSecret, Sealer, type RemainderRun } from '@hookline/domain';
import {
  createKafka,
  ProducerPump,
  RangeReader,
  TopicOffsets,
  type Appended,
  type LogClock,
  type OutgoingRecord,
  type ReadRecord,
} from '@hookline/kafka';
import { silentLogger, systemClock, type Clock } from '@hookline/platform';
import { createTopics, distinct, uniqueName, waitUntil } from '@hookline/testing';
import type { Admin, Kafka } from 'kafkajs';
import { kafkaConfig } from './kafka-config.js';
import { RigWorker } from './rig-worker.js';

/** For everything that must happen on a busy machine. */
export const DEADLINE_MS = 90_000;
export const TENANT = 'ten_rig';

/**
 * The worker, the endpoint and the test are one process: where the machine stands still for ten seconds, nobody is to be
 * taken for dead and no attempt for lost. What a test sets counts.
 */
const PATIENT = { attemptTimeoutMs: 60_000, firstByteTimeoutMs: 60_000, connectTimeoutMs: 30_000 };
const PATIENT_SESSION_MS = 30_000;

/** Topics of its own for one test, under a prefix, with what the test writes into them and reads from them. */
export class DeliveryRig {
  readonly prefix = uniqueName('rig');
  readonly lanePartitions = 2;
  readonly kafka: Kafka = createKafka(kafkaConfig(), { role: 'delivery', logger: silentLogger });
  readonly sealer = new Sealer([`test:${randomBytes(32).toString('base64')}`]);
  readonly pump: ProducerPump;
  readonly settings: DeliveryConfig;
  /** Hears when brokers append what is written here. */
  onAppended: LogClock['learn'] = () => undefined;
  /** How long a worker that stops waits for what it has in flight, ms. */
  drainMs = 25_000;
  /** What the workers' buffers have no room for. */
  refuses: (record: OutgoingRecord) => boolean = () => false;
  private readonly admin: Admin = this.kafka.admin();
  private readonly workers: RigWorker[] = [];
  private readonly secrets = new Map<string, string>();
  private readonly versions = new Map<string, SubscriptionRecord>();

  private constructor(
    settings: Partial<DeliveryConfig>,
    /** Of a worker that dies the group learns after so long, ms. */
    readonly sessionMs: number,
  ) {
    const { delivery, pump } = loadConfig({ delivery: deliverySection, pump: pumpSection }, {});
    this.settings = { ...delivery, ...PATIENT, allowCidrs: ['127.0.0.0/8'], retryDelaysMs: [1_000], ...settings };
    this.pump = new ProducerPump(
      {
        kafka: this.kafka,
        clock: systemClock,
        logger: silentLogger,
        onAppended: (leader, appendTime) => this.onAppended(leader, appendTime),
      },
      { ...pump, maxBufferedBytes: 67_108_864 },
    );
  }

  /** @param sessionMs short where a worker is to die; brokers take no less than 6,000 */
  static async open(settings: Partial<DeliveryConfig> = {}, sessionMs = PATIENT_SESSION_MS): Promise<DeliveryRig> {
    const rig = new DeliveryRig(settings, sessionMs);
    await rig.admin.connect();
    const names = [...Object.values(TOPICS), ...rig.settings.retryDelaysMs.map(retryTopic)];
    await createTopics(
      rig.admin,
      names.map((name) => ({
        topic: rig.named(name),
        numPartitions: rig.partitionsOf(name),
        replicationFactor: -1,
        configEntries: [{ name: 'message.timestamp.type', value: 'LogAppendTime' }],
      })),
    );
    await rig.pump.start(names.map((name) => rig.named(name)));
    const genesis = encodeCompacted({ v: 1, genesis: true, at: new Date().toISOString() });
    await rig.write(TOPICS.subscriptions, GENESIS_KEY, genesis);
    return rig;
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop()));
    await this.pump.stop({ drainMs: 1_000 });
    await this.admin.disconnect();
  }

  /** A topic's name under this rig's prefix. */
  named(topic: string): string {
    return topic.replace(/^hookline/, this.prefix);
  }

  /** The name without the prefix. */
  unnamed(topic: string): string {
    return topic.replace(this.prefix, 'hookline');
  }

  async worker(clock?: Clock): Promise<RigWorker> {
    const worker = new RigWorker(this, clock);
    this.workers.push(worker);
    await worker.start();
    return worker;
  }

  /** Makes a subscription, or the next version of one. */
  async subscribe(
    change: Partial<SubscriptionRecord> & { id?: string; headers?: Record<string, string> },
  ): Promise<string> {
    const { headers = {}, ...fields } = change;
    const id = change.id ?? newId('sub');
    const secret = this.secrets.get(id) ?? newSigningSecret();
    this.secrets.set(id, secret);
    const before = this.versions.get(id);
    const record: SubscriptionRecord = {
      v: 1,
      tenant: TENANT,
      url: 'http://127.0.0.1:1/',
      types: ['*'],
      status: 'enabled',
      holdsFrom: {},
      ...before,
      ...fields,
      id,
      version: (before?.version ?? 0) + 1,
      sealed: this.sealer.seal(JSON.stringify({ secrets: [secret], headers }), `${TENANT}/${id}`),
    };
    this.versions.set(id, record);
    await this.write(TOPICS.subscriptions, id, encodeCompacted(record));
    return id;
  }

  secretOf(subscriptionId: string): string {
    return this.secrets.get(subscriptionId) as string;
  }

  publish(
    event: { id?: string; type?: string; data?: string; key?: string; partition?: number } = {},
  ): Promise<Appended> {
    const { id = newId('evt'), type = 'order.created', data = '{"a": 1}', key, partition } = event;
    return this.pump.produce({
      topic: this.named(TOPICS.events),
      ...(partition === undefined ? {} : { partition }),
      value: Buffer.from(data),
      headers: encodeEventHeaders({
        ...{ tenant: TENANT, id, type, time: new Date().toISOString() },
        ...(key === undefined ? {} : { key }),
      }),
    });
  }

  /** Writes a record as it is. */
  write(topic: string, key: string | null, value: Buffer, headers: Record<string, string> = {}): Promise<Appended> {
    return this.pump.produce({ topic: this.named(topic), key, value, headers });
  }

  async outcomes(): Promise<OutcomeRecord[]> {
    return (await this.read(TOPICS.attempts)).map(({ value }) => decodeOutcome(value));
  }

  /** For a wait that was in vain. */
  private async seen(): Promise<object> {
    const outcomes = await this.outcomes();
    return {
      outcomes: outcomes.length,
      last: outcomes.slice(-5).map(({ eventId, delivery }) => `${eventId} ${delivery?.state} ${delivery?.reason}`),
      workers: this.workers.map((worker) => worker.seen()),
    };
  }

  until(what: string, condition: () => unknown): Promise<unknown> {
    return waitUntil(condition, { deadlineMs: DEADLINE_MS, what, seen: () => this.seen() });
  }

  /** Waits until so many outcomes that the condition is about are there; @returns one of each step of each delivery. */
  outcomesWhere(count: number, which: (outcome: OutcomeRecord) => boolean): Promise<OutcomeRecord[]> {
    return waitUntil(
      async () => {
        const found = distinct((await this.outcomes()).filter(which), stepOf, () => undefined);
        return found.length >= count && found;
      },
      { deadlineMs: DEADLINE_MS, what: `${count} outcomes`, seen: () => this.seen() },
    );
  }

  /** Waits until there are so many dead letters (those of unreadable records not among them); @returns one of each delivery. */
  deadLettersWhen(count: number): Promise<(DeadLetter & { body: string })[]> {
    return waitUntil(
      async () => {
        const records = (await this.read(TOPICS.deadLetters)).filter(
          ({ headers }) => optionalHeader(headers, 'reason') !== 'unreadable',
        );
        const letters = distinct(
          records.map(({ headers, value }) => ({ ...decodeDeadLetterHeaders(headers), body: String(value) })),
          ({ delivery }) => delivery.deliveryId,
          ({ reason, body }) => [reason, body],
        );
        return letters.length >= count && letters;
      },
      { deadlineMs: DEADLINE_MS, what: `${count} dead letters`, seen: () => this.seen() },
    );
  }

  /** Waits until there are so many records among the dead letters that could not be read; @returns one of each place. */
  unreadableWhen(count: number): Promise<ReadRecord[]> {
    return waitUntil(
      async () => {
        const found = distinct(
          await this.read(TOPICS.deadLetters),
          ({ headers }) => optionalHeader(headers, 'origin') ?? '',
          ({ headers, value }) => [optionalHeader(headers, 'detail'), value],
        );
        return found.length >= count && found;
      },
      { deadlineMs: DEADLINE_MS, what: `${count} unreadable records among the dead letters`, seen: () => this.seen() },
    );
  }

  /** What the workers' last commit says of a partition: where it stands, and what is left of records that are begun. */
  async committed(topic: string, partition: number): Promise<{ offset: number; remainders: readonly RemainderRun[] }> {
    const groupId = `${this.prefix}.${topic === TOPICS.events ? 'events' : 'lanes'}`;
    const [found] = await this.admin.fetchOffsets({ groupId, topics: [this.named(topic)] });
    const committed = found?.partitions.find((each) => each.partition === partition);
    const offset = Number(committed?.offset);
    return { offset, remainders: decodeOffsetMetadata(offset, committed?.metadata).remainders };
  }

  /** Records of a lane that are not complete, by what the workers have committed. */
  async backlog(lane: string): Promise<number> {
    const topic = this.named(lane);
    const [found] = await this.admin.fetchOffsets({ groupId: `${this.prefix}.lanes`, topics: [topic] });
    const bounds = await new TopicOffsets(this.admin).bounds(topic);
    const committed = new Map(found?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    return bounds.reduce((sum, { partition, high }) => sum + high - Math.max(0, committed.get(partition) ?? 0), 0);
  }

  /** Everything that a topic has at the moment. */
  async read(topic: string): Promise<ReadRecord[]> {
    const name = this.named(topic);
    const ranges = (await new TopicOffsets(this.admin).bounds(name)).map(({ partition, low, high }) => ({
      partition,
      from: low,
      to: high,
    }));
    const all: ReadRecord[] = [];
    for await (const { records } of new RangeReader(this.kafka).read(name, ranges)) all.push(...records);
    return all;
  }

  private partitionsOf(topic: string): number {
    const lane = topic.startsWith(TOPICS.deliveries) || retryDelayOf(topic) !== undefined;
    return lane ? this.lanePartitions : topic === TOPICS.events ? 3 : 1;
  }
}

/** What is told again when an event is read again: the times of its attempts are others, and any of them may say what it matched. */
function stepOf({ eventId, source, delivery }: OutcomeRecord): string {
  const { id, state, reason, attempt } = delivery ?? {};
  return [eventId, source.partition, source.offset, id, state, reason, attempt?.number].join();
}
