import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  consumerSection,
  deliverySection,
  kafkaSection,
  loadConfig,
  pumpSection,
  topicsSection,
} from '@hookline/config';
import {
  encodeCompacted,
  encodeEventHeaders,
  EVENTS_GROUP,
  GENESIS_KEY,
  TOPICS,
  type SubscriptionRecord,
  type SubscriptionStatus,
} from '@hookline/contracts';
import { deliveryIdOf, earlierThan, newId, newSigningSecret, Sealer } from '@hookline/domain';
import { EmbeddedKafka } from '@hookline/embedded';
import { createKafka, ensureTopics, LogClock, OffsetRunner, topicPlan, TopicOffsets } from '@hookline/kafka';
import { Metrics, silentLogger, systemClock } from '@hookline/platform';
import { waitUntil, WebhookReceiver } from '@hookline/testing';
import type { Admin, Kafka, Producer } from 'kafkajs';
import { DeliveryWorker } from '../../../delivery/src/worker.js';
import type { EndState } from '../reconcile/verdict.js';
import { onceLed } from './once-led.js';
import { reconcile, type ReconcileOptions } from './reconcile.js';

const DEADLINE_MS = 120_000;
/** Each test looks at the whole log several times, beside everything else that the machine does. */
const TEST_MS = 360_000;
const TENANT = newId('ten');
const PARTITIONS = 3;
const MOST_AHEAD = 100;
/** Here the workers know each version before they read on: nobody has left out anything that the slice keeper would bring. */
const KNOWN_AT_ONCE = { HOOKLINE_VIEW_STALE: '1ms', HOOKLINE_KNOWN_MARGIN: '1ms' };

interface Event {
  id: string;
  partition: number;
  offset: number;
}

interface Said {
  code: number;
  deliveries: number;
  states: Record<EndState, { total: number; proofs: Record<string, number> }>;
  missing: { partition: number; offset: number; eventId: string; subscriptionId: string; deliveryId: string }[];
  repair?: { sent: number; states: Record<string, number>; refused: Record<string, { status: string }> };
}

describe('hookline reconcile', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hookline-reconcile-'));
  const sealer = new Sealer([`test:${randomBytes(32).toString('base64')}`]);
  const versions = new Map<string, SubscriptionRecord>();
  const workers: DeliveryWorker[] = [];
  let cluster: EmbeddedKafka;
  let env: NodeJS.ProcessEnv;
  let kafka: Kafka;
  let admin: Admin;
  let producer: Producer;
  let endpoint: WebhookReceiver;
  let gone: WebhookReceiver;
  let first: string;
  let paused: string;

  beforeAll(async () => {
    cluster = await EmbeddedKafka.start({ dataDir, brokers: 1 });
    env = {
      KAFKA_BROKERS: cluster.brokers.join(),
      HOOKLINE_REPLICATION_FACTOR: '1',
      HOOKLINE_MIN_INSYNC_REPLICAS: '1',
      HOOKLINE_EVENT_PARTITIONS: String(PARTITIONS),
      HOOKLINE_LANE_PARTITIONS: '2',
      HOOKLINE_ATTEMPT_PARTITIONS: '2',
      HOOKLINE_RETRY_DELAYS: '1s',
      HOOKLINE_ALLOW_CIDRS: '127.0.0.0/8',
      // All of it is one process: where the machine stands still for a while, nobody is to be taken for dead.
      HOOKLINE_SESSION_TIMEOUT: '60s',
      HOOKLINE_REBALANCE_TIMEOUT: '60s',
      HOOKLINE_ATTEMPT_TIMEOUT: '60s',
      HOOKLINE_FIRST_BYTE_TIMEOUT: '60s',
      HOOKLINE_LOG_LEVEL: 'silent',
    };
    const config = loadConfig({ kafka: kafkaSection, topics: topicsSection, delivery: deliverySection }, env);
    kafka = createKafka(config.kafka, { role: 'test', logger: silentLogger });
    admin = kafka.admin();
    producer = kafka.producer({ idempotent: true });
    await Promise.all([admin.connect(), producer.connect()]);
    const { topics, delivery } = config;
    await ensureTopics(admin, topicPlan(topics, delivery.retryDelaysMs, delivery.windowMs), silentLogger);
    await compacted(GENESIS_KEY, encodeCompacted({ v: 1, genesis: true, at: new Date().toISOString() }));
    [endpoint, gone] = await Promise.all([WebhookReceiver.start(), WebhookReceiver.start(() => ({ status: 410 }))]);
  }, 180_000);

  afterAll(async () => {
    await Promise.all(workers.map(stop));
    await Promise.all([admin.disconnect(), producer.disconnect(), endpoint.close(), gone.close()]);
    await cluster.stop('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  });

  const compacted = (key: string, value: Buffer): Promise<unknown> =>
    producer.send({ topic: TOPICS.subscriptions, acks: -1, messages: [{ partition: 0, key, value }] });

  /** Makes a subscription, or the next version of one, that holds from the ends of the log. */
  async function subscribe(
    change: Partial<SubscriptionRecord> & { status?: SubscriptionStatus | 'deleted' },
  ): Promise<string> {
    const id = change.id ?? newId('sub');
    const last = versions.get(id);
    const bounds = await onceLed(kafka, (each) => new TopicOffsets(each).bounds(TOPICS.events));
    const record: SubscriptionRecord = {
      ...{ v: 1, tenant: TENANT, url: endpoint.url, types: ['order.*'], status: 'enabled' },
      ...last,
      ...change,
      id,
      sealed: sealer.seal(JSON.stringify({ secrets: [newSigningSecret()], headers: {} }), `${TENANT}/${id}`),
      version: (last?.version ?? 0) + 1,
      holdsFrom: Object.fromEntries(bounds.map(({ partition, high }) => [partition, high])),
      ...(last === undefined ? {} : { before: earlierThan(last, last.before ?? []) }),
    };
    versions.set(id, record);
    await compacted(id, encodeCompacted(record));
    return id;
  }

  async function publish(count: number, type = 'order.created'): Promise<Event[]> {
    const events = Array.from({ length: count }, () => ({ id: newId('evt'), partition: 0 }));
    const messages = events.map(({ id }, i) => ({
      partition: ((events[i] as { partition: number }).partition = i % PARTITIONS),
      value: '{"a":1}',
      headers: encodeEventHeaders({ tenant: TENANT, id, type, time: new Date().toISOString() }),
    }));
    const answers = await producer.send({ topic: TOPICS.events, acks: -1, messages });
    const next = new Map(answers.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]));
    return events.map(({ id, partition }) => {
      const offset = next.get(partition) as number;
      next.set(partition, offset + 1);
      return { id, partition, offset };
    });
  }

  /** A worker as its role runs it, in this process. */
  async function startWorker(): Promise<DeliveryWorker> {
    const sections = { kafka: kafkaSection, pump: pumpSection, consumer: consumerSection, delivery: deliverySection };
    const worker = new DeliveryWorker({
      ...loadConfig(sections, env),
      sealer,
      clock: new LogClock(),
      logger: silentLogger,
      metrics: new Metrics('delivery'),
      drainMs: 10_000,
    });
    workers.push(worker);
    const [events, lanes] = await worker.prepare();
    if (events === undefined || lanes === undefined) throw new Error('the worker was stopped');
    const runners = [
      new OffsetRunner({ ...events, handler: (records) => worker.events(records) }),
      new OffsetRunner({ ...lanes, handler: (records) => worker.lanes(records) }),
    ] as const;
    for (const runner of runners) void runner.start();
    worker.run(...runners);
    return worker;
  }

  async function stop(worker: DeliveryWorker): Promise<void> {
    workers.splice(workers.indexOf(worker), 1);
    await worker.drain();
    await worker.close();
  }

  async function say(options: Partial<ReconcileOptions>): Promise<{ code: number; text: string }> {
    const said: string[] = [];
    const code = await reconcile(
      { list: 100, waitMs: DEADLINE_MS, ...options },
      { ...env, ...KNOWN_AT_ONCE },
      {
        say: async (text) => void said.push(text),
        screen: { write: () => true },
        ask: async () => false,
        clock: systemClock,
        logger: silentLogger,
      },
    );
    return { code, text: said.join('') };
  }

  async function run(options: Partial<ReconcileOptions> = {}): Promise<Said> {
    const { code, text } = await say({ json: true, ...options });
    return { code, ...(JSON.parse(text) as Omit<Said, 'code'>) };
  }

  /** Runs until the totals are these: what is told is there a little later than what was received. */
  const runUntil = (totals: Partial<Record<EndState, number>>): Promise<Said> =>
    waitUntil(
      async () => {
        const said = await run();
        const totalOf = (state: EndState): number => said.states[state].total;
        const found = JSON.stringify(Object.entries(said.states).map(([state, { total }]) => [state, total]));
        if (!Object.entries(totals).every(([state, total]) => totalOf(state as EndState) === total))
          throw new Error(found);
        return said;
      },
      { deadlineMs: DEADLINE_MS, what: `the totals ${JSON.stringify(totals)}` },
    );

  it(
    'ends with 0 where all is done, and names no one that is under way as missing while everything moves',
    async () => {
      first = await subscribe({});
      paused = await subscribe({});
      await subscribe({ types: ['gone.*'], url: gone.url });
      const turn = { count: 0 };
      // Some at once, some late, and each fifth by way of a retry lane.
      endpoint.behave(() => ({ status: (turn.count += 1) % 5 === 0 ? 500 : 204, delayMs: turn.count % 40 }));
      await startWorker();
      const load = new AbortController();
      const published: Event[] = await publish(3);
      // Never far ahead of what was received: a slow machine has to get it all delivered as well.
      const isNear = (): boolean =>
        load.signal.aborted || endpoint.acceptedIds().size > 2 * published.length - MOST_AHEAD;
      const publishing = (async () => {
        while (!load.signal.aborted) {
          published.push(...(await publish(10)));
          await waitUntil(isNear, { deadlineMs: DEADLINE_MS, what: 'the workers to come near' });
        }
      })();
      const second = await startWorker();
      const seen: Said[] = [];
      for (let i = 0; i < 5; i += 1) {
        seen.push(await run());
        // The partitions of one worker move to the other in the middle of it.
        if (i === 1) await stop(second);
      }
      load.abort();
      await publishing;
      expect(seen.map(({ code, missing }) => [code, missing])).toEqual(seen.map(() => [0, []]));
      expect(seen.some(({ states }) => states.pending.total > 0)).toBe(true);
      endpoint.behave({ status: 204 });
      await publish(1, 'gone.away');
      const said = await runUntil({ delivered: 2 * published.length, 'dead-lettered': 1, pending: 0, held: 0 });
      expect([said.code, said.states.missing.total, said.states.unknown.total]).toEqual([0, 0, 0]);
    },
    TEST_MS,
  );

  it(
    'says what is held or dead-lettered because its subscription was paused or deleted, and by what that is proven',
    async () => {
      const deleted = await subscribe({});
      const before = await run();
      await Promise.all([...workers].map(stop));
      await publish(1);
      await subscribe({ id: paused, status: 'paused' });
      await subscribe({ id: deleted, status: 'deleted' });
      await publish(1);
      const waiting = await run();
      expect([waiting.code, waiting.states.pending.proofs, waiting.states.held.proofs]).toEqual([
        0,
        { event: 4 },
        { position: 1 },
      ]);
      await startWorker();
      const { states, code } = await runUntil({ delivered: before.states.delivered.total + 2, pending: 0 });
      expect([code, states.held.proofs, states['dead-lettered'].total]).toEqual([0, { outcome: 1, position: 1 }, 2]);
    },
    TEST_MS,
  );

  it(
    'lists exactly what was passed without being delivered, sends it again once, and refuses while its subscription is paused',
    async () => {
      await Promise.all([...workers].map(stop));
      const before = await run();
      const [lost, kept] = (await publish(1 + PARTITIONS)).filter(({ partition }) => partition === 0) as [Event, Event];
      await passOver(lost);
      const place = {
        partition: lost.partition,
        offset: lost.offset,
        eventId: lost.id,
        subscriptionId: first,
        deliveryId: deliveryIdOf({ tenant: TENANT, id: lost.id }, lost, first),
      };
      const found = await run();
      expect(found.code).toBe(1);
      expect(found.missing).toEqual([expect.objectContaining(place)]);
      expect(found.states.pending.proofs).toEqual({ event: PARTITIONS });
      // Without a yes nothing is sent.
      const { text } = await say({ repair: true });
      expect(text).toContain('With --repair exactly these are sent again');
      expect(text).toMatch(new RegExp(`missing +1 [^]*0:${lost.offset} .*${lost.id}  ${first}  nothing was ever told`));

      await startWorker();
      const named = { offsets: new Map([[0, lost.offset]]) };
      const repaired = await run({ repair: true, yes: true, from: named, subscription: first });
      expect([repaired.code, repaired.repair?.sent, repaired.repair?.states]).toEqual([0, 1, { delivered: 1 }]);
      const again = await run({ repair: true, yes: true });
      expect([again.code, again.repair]).toEqual([0, undefined]);
      await runUntil({ delivered: before.states.delivered.total + 1 + PARTITIONS, missing: 0 });
      expect([place.deliveryId, deliveryIdOf({ tenant: TENANT, id: kept.id }, kept, first)].map(times)).toEqual([1, 1]);

      await Promise.all([...workers].map(stop));
      const [another] = await publish(1);
      await passOver(another as Event);
      await subscribe({ id: first, status: 'paused' });
      const refused = await run({ repair: true, yes: true });
      expect([refused.code, refused.repair?.sent, refused.missing.length]).toEqual([1, 0, 1]);
      expect(refused.repair?.refused).toEqual({ [first]: { status: 'paused', deliveries: 1 } });
    },
    TEST_MS,
  );

  const times = (deliveryId: string): number => endpoint.acceptedIds().get(deliveryId) ?? 0;

  /** Commits an offset past an event as somebody's tool could: no worker runs. */
  const passOver = ({ partition, offset }: Event): Promise<unknown> =>
    admin.setOffsets({
      groupId: EVENTS_GROUP,
      topic: TOPICS.events,
      partitions: [{ partition, offset: String(offset + 1) }],
    });
});
