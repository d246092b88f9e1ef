import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  httpSection,
  kafkaSection,
  loadConfig,
  loggingSection,
  publishSection,
  pumpSection,
  topicsSection,
} from '@hookline/config';
import {
  decodeEventHeaders,
  encodeCompacted,
  GENESIS_KEY,
  optionalHeader,
  TOPICS,
  type CredentialRecord,
  type Problem,
} from '@hookline/contracts';
import { makeApiKey, type NewApiKey } from '@hookline/domain';
import { createKafka, ensureTopics, ProducerPump, RangeReader, TopicOffsets, topicPlan } from '@hookline/kafka';
import { silentLogger, startRole, systemClock, type RunningRole } from '@hookline/platform';
import { testKafkaBrokers, testReplication, uniqueName, waitUntil } from '@hookline/testing';
import type { Admin, Producer } from 'kafkajs';
import { ingestRole } from './ingest.role.js';
import { publishApi } from './publish-api.js';

const DEADLINE_MS = 90_000;
const { replicationFactor, minInsyncReplicas } = testReplication();
const config = loadConfig(
  {
    http: httpSection,
    logging: loggingSection,
    kafka: kafkaSection,
    publish: publishSection,
    pump: pumpSection,
    topics: topicsSection,
  },
  {
    KAFKA_BROKERS: testKafkaBrokers().join(','),
    HOOKLINE_HTTP_HOST: '127.0.0.1',
    HOOKLINE_HTTP_PORT: '0',
    HOOKLINE_REPLICATION_FACTOR: String(replicationFactor),
    HOOKLINE_MIN_INSYNC_REPLICAS: String(minInsyncReplicas),
    HOOKLINE_EVENT_PARTITIONS: '3',
    // Where the machine stands still for ten seconds, a test is not to be told to come again.
    HOOKLINE_PUBLISH_DEADLINE: '60s',
  },
);
const kafka = createKafka(config.kafka, { role: 'ingest-test', logger: silentLogger });

describe('ingest on a real Kafka', () => {
  const tenant = uniqueName('ten');
  const key = makeApiKey();
  let admin: Admin;
  let producer: Producer;
  let role: RunningRole;

  beforeAll(async () => {
    admin = kafka.admin();
    producer = kafka.producer({ idempotent: true });
    await Promise.all([admin.connect(), producer.connect()]);
    const needed: string[] = [TOPICS.events, TOPICS.credentials];
    const plan = topicPlan(config.topics, []).filter(({ name }) => needed.includes(name));
    await ensureTopics(admin, plan, silentLogger);
    await write(GENESIS_KEY, encodeCompacted({ v: 1, genesis: true, at: '2026-11-22T00:00:00Z' }));
    await writeKey(key, 1, 'active');
    role = await startRole(ingestRole, config, silentLogger);
    await role.started;
  });

  afterAll(async () => {
    await role.stop();
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  });

  const write = (id: string, value: Buffer): Promise<unknown> =>
    producer.send({ topic: TOPICS.credentials, messages: [{ key: id, value }] });

  function writeKey({ id, hash }: NewApiKey, version: number, status: CredentialRecord['status']): Promise<unknown> {
    return write(id, encodeCompacted({ v: 1, version, id, tenant, hash, status }));
  }

  interface Accepted {
    id: string;
    partition: number;
    offset: number;
  }

  const post = (path: string, body: string, { key: secret } = key, base = role.url): Promise<Response> =>
    fetch(base + path, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    });

  async function recordAt({ partition, offset }: Accepted) {
    const range = { partition, from: offset, to: offset + 1 };
    for await (const { records } of new RangeReader(kafka).read(TOPICS.events, [range])) return records[0];
    return undefined;
  }

  it('answers 202 with the position, and the very bytes stand there', async () => {
    const data = '{"n": 1.0, "text":"\\u00fc\\u0000" , "list":[ ]}';
    const response = await post('/v1/events', `{"type":"order.created","id":"o-1","key":"c-1","data":${data}}`);
    expect(response.status).toBe(202);
    const accepted = (await response.json()) as Accepted;
    const record = await recordAt(accepted);
    expect(record?.value?.toString()).toBe(data);
    expect(record?.key?.toString()).toBe(`${tenant}\0k\0c-1`);
    expect(decodeEventHeaders(record?.headers ?? {})).toMatchObject({
      tenant,
      id: 'o-1',
      type: 'order.created',
      key: 'c-1',
    });
  });

  it('answers a batch with the position of each event, repeats of an id in one partition', async () => {
    const events = Array.from({ length: 500 }, (_, i) => ({ id: `b-${i % 250}`, type: 'a.b', data: { i } }));
    const response = await post('/v1/events/batch', JSON.stringify({ events }));
    expect(response.status).toBe(202);
    const { events: accepted } = (await response.json()) as { events: Accepted[] };
    expect(accepted.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(new Set(accepted.map(({ partition, offset }) => `${partition}:${offset}`)).size).toBe(500);
    for (let i = 0; i < 250; i += 1) {
      expect(accepted[i + 250]?.partition).toBe(accepted[i]?.partition);
      expect(accepted[i + 250]?.offset).toBeGreaterThan(accepted[i]?.offset as number);
    }
    expect((await recordAt(accepted[499] as Accepted))?.value?.toString()).toBe('{"i":499}');
  });

  it('writes nothing of a batch with one bad event', async () => {
    const ends = (): ReturnType<TopicOffsets['bounds']> => new TopicOffsets(admin).bounds(TOPICS.events);
    const before = await ends();
    const events = [...Array.from({ length: 100 }, () => ({ type: 'a', data: 1 })), { type: 'a' }];
    const response = await post('/v1/events/batch', JSON.stringify({ events }));
    expect(response.status).toBe(400);
    expect(((await response.json()) as Problem).errors).toEqual([
      { field: 'events[100].data', message: 'is required' },
    ]);
    // Others may write to the topic meanwhile.
    const ranges = (await ends()).map(({ partition, high }) => ({
      partition,
      from: before.find((bounds) => bounds.partition === partition)?.high ?? 0,
      to: high,
    }));
    const envelopes: string[] = [];
    for await (const { records } of new RangeReader(kafka).read(TOPICS.events, ranges))
      envelopes.push(...records.map(({ headers }) => optionalHeader(headers, 'event') ?? ''));
    expect(envelopes.filter((envelope) => envelope.includes(tenant))).toEqual([]);
  });

  it('learns of a new key and of its revocation while it runs', async () => {
    const later = makeApiKey();
    const status = async (): Promise<number> => (await post('/v1/events', '{"type":"a","data":1}', later)).status;
    const until = (wanted: number): Promise<unknown> =>
      waitUntil(async () => (await status()) === wanted, { deadlineMs: DEADLINE_MS, what: `status ${wanted}` });
    expect(await status()).toBe(401);
    await writeKey(later, 1, 'active');
    await until(202);
    await writeKey(later, 2, 'revoked');
    await until(401);
  });

  it('is ready, and says what it does', async () => {
    expect((await fetch(`${role.url}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`${role.url}/metrics`)).text();
    expect(metrics).toMatch(/hookline_events_accepted_total\{role="ingest"\} [1-9]/);
    expect(metrics).toMatch(/hookline_flush_records_count\{role="ingest"\} [1-9]/);
    expect(metrics).toMatch(/hookline_credentials_stale_seconds\{role="ingest"\} \d/);
  });

  it('answers 503 after its deadline when no broker answers, and 202 when they do again', async () => {
    const sockets = new Set<Socket>();
    const socketFactory = ({
      host,
      port,
      onConnect,
    }: {
      host: string;
      port: number;
      onConnect: () => void;
    }): Socket => {
      const socket = connect({ host, port }, onConnect);
      sockets.add(socket);
      return socket;
    };
    const logger = silentLogger;
    const pump = new ProducerPump(
      { kafka: createKafka(config.kafka, { role: 'hung', logger, socketFactory }), clock: systemClock, logger },
      { ...config.pump, maxBufferedBytes: config.publish.maxBufferedBytes },
    );
    const limits = { ...config.publish, deadlineMs: 1_000 };
    const credentials = { isComplete: true, get: () => credentialOf(key) };
    const build = () => publishApi(limits, systemClock, pump, credentials);
    const hung = await startRole({ name: 'hung', sections: {}, parsesBodies: false, build }, config, logger);
    try {
      const publish = (id: string): Promise<Response> =>
        post('/v1/events', JSON.stringify({ id, type: 'a', data: { id } }), key, hung.url);
      await pump.start([TOPICS.events]);
      await waitUntil(async () => (await publish('before')).status === 202, { deadlineMs: DEADLINE_MS, what: 'a 202' });
      for (const socket of sockets) socket.pause();
      const response = await publish('during');
      expect(response.status).toBe(503);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await response.json()).toMatchObject({
        type: 'https://hookline.dev/problems/not-durable',
        id: 'during',
        reason: 'deadline',
      });
      for (const socket of sockets) socket.resume();
      await waitUntil(async () => (await publish('after')).status === 202, { deadlineMs: DEADLINE_MS, what: 'a 202' });
    } finally {
      await hung.stop();
      await pump.stop({ drainMs: 5_000 });
      for (const socket of sockets) socket.destroy();
    }
  });

  function credentialOf({ id, hash }: NewApiKey): CredentialRecord {
    return { v: 1, version: 1, id, tenant, hash, status: 'active' };
  }
});
