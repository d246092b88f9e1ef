import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { kafkaSection, loadConfig, pumpSection } from '@hookline/config';
import { silentLogger, systemClock } from '@hookline/platform';
import { testKafkaBrokers, testReplication, uniqueName } from '@hookline/testing';
import type { Admin } from 'kafkajs';
import { createKafka } from '../client.js';
import { RangeReader } from '../reader/range-reader.js';
import { partitionOf } from './murmur2.js';
import { NotDurable, type OutgoingRecord } from './output.js';
import { ProducerPump, type PumpSettings } from './producer-pump.js';

const PARTITIONS = 4;

describe('ProducerPump', () => {
  const { kafka: config } = loadConfig({ kafka: kafkaSection }, { KAFKA_BROKERS: testKafkaBrokers().join() });
  const kafka = createKafka(config, { role: 'pump-test', logger: silentLogger });
  const pumps: ProducerPump[] = [];
  let admin: Admin;

  beforeAll(async () => {
    admin = kafka.admin();
    await admin.connect();
  });
  afterEach(async () => {
    await Promise.all(pumps.splice(0).map((pump) => pump.stop({ drainMs: 0 })));
  });
  afterAll(() => admin.disconnect());

  async function newTopic(settings: Record<string, string> = {}): Promise<string> {
    const topic = uniqueName('pump');
    const { replicationFactor } = testReplication();
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    const spec = { topic, numPartitions: PARTITIONS, replicationFactor, configEntries };
    await admin.createTopics({ waitForLeaders: false, topics: [spec] });
    return topic;
  }

  function newPump(changes: Partial<PumpSettings> = {}): ProducerPump {
    const { pump: settings } = loadConfig({ pump: pumpSection }, {});
    const pump = new ProducerPump(
      { kafka, clock: systemClock, logger: silentLogger },
      { ...settings, maxBufferedBytes: 10_000_000, ...changes },
    );
    pumps.push(pump);
    return pump;
  }

  async function valuesOf(topic: string): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    const ends = await admin.fetchTopicOffsets(topic);
    const ranges = ends.map(({ partition, low, high }) => ({ partition, from: Number(low), to: Number(high) }));
    for await (const { records } of new RangeReader(kafka).read(topic, ranges)) {
      for (const { partition, offset, value } of records) found.set(`${partition}:${offset}`, String(value));
    }
    return found;
  }

  const reasonOf = async (produced: Promise<unknown>): Promise<string> => {
    const error: unknown = await produced.catch((e: unknown) => e);
    expect(error).toBeInstanceOf(NotDurable);
    return (error as NotDurable).reason;
  };

  it('says where each record is: by key, by the partition that was asked for, or of its own choice', async () => {
    const topic = await newTopic();
    const pump = newPump();
    const records: OutgoingRecord[] = [];
    for (let i = 0; i < 50; i += 1) {
      records.push({ topic, key: `key-${i % 7}`, value: Buffer.from(`keyed-${i}`) });
      records.push({ topic, partition: i % PARTITIONS, key: 'any', value: Buffer.from(`placed-${i}`) });
      records.push({ topic, value: Buffer.from(`free-${i}`) });
    }
    const appended = await Promise.all(records.map((record) => pump.produce(record)));
    const log = await valuesOf(topic);
    expect(log.size).toBe(150);
    records.forEach((record, i) => {
      const { partition, offset } = appended[i] ?? {};
      expect(log.get(`${partition}:${offset}`)).toBe(String(record.value));
      if (record.partition !== undefined) expect(partition).toBe(record.partition);
      else if (record.key) expect(partition).toBe(partitionOf(Buffer.from(record.key), PARTITIONS));
    });
    // What waited together left together.
    const free = appended.filter((_, i) => i % 3 === 2).map(({ partition }) => partition);
    expect(new Set(free).size).toBe(1);
    expect(pump.depth).toEqual({ records: 0, bytes: 0 });
  });

  it('takes more than a flush holds', async () => {
    const topic = await newTopic();
    const pump = newPump({ maxFlushRecords: 10, maxFlushBytes: 2_000 });
    const values = Array.from({ length: 200 }, (_, i) => `${i}-`.padEnd(300, 'x'));
    await Promise.all(values.map((value) => pump.produce({ topic, partition: 1, value: Buffer.from(value) })));
    expect([...(await valuesOf(topic)).values()]).toEqual(values);
  });

  it('refuses what Kafka refuses, and only that', async () => {
    const topic = await newTopic({ 'max.message.bytes': '20000' });
    const pump = newPump();
    const produced = Array.from({ length: 20 }, (_, i) =>
      pump.produce({ topic, partition: 0, value: Buffer.alloc(i === 13 ? 30_000 : 500, 'x') }),
    );
    const elsewhere = pump.produce({ topic, partition: 2, value: Buffer.from('elsewhere') });
    const results = await Promise.allSettled(produced);
    expect(results.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []))).toEqual([13]);
    expect(await reasonOf(produced[13] as Promise<unknown>)).toBe('refused');
    await expect(elsewhere).resolves.toMatchObject({ partition: 2, offset: 0 });
    expect((await valuesOf(topic)).size).toBe(20);
  });

  it('refuses at once what can never be sent', async () => {
    const topic = await newTopic();
    const pump = newPump();
    await pump.start([topic]);
    const unreadable = {
      topic,
      value: Buffer.from('x'),
      headers: { id: undefined } as unknown as Record<string, string>,
    };
    expect(await reasonOf(pump.produce(unreadable))).toBe('refused');
    expect(await reasonOf(pump.produce({ topic, partition: PARTITIONS, value: null }))).toBe('refused');
    expect(await reasonOf(pump.produce({ topic, value: Buffer.alloc(1_000_001) }))).toBe('refused');
    expect(pump.depth).toEqual({ records: 0, bytes: 0 });
  });

  it('keeps its buffer bounded', async () => {
    const topic = await newTopic();
    const pump = newPump({ maxBufferedBytes: 10_000 });
    const produced = Array.from({ length: 20 }, () => pump.produce({ topic, value: Buffer.alloc(1_000) }));
    const results = await Promise.allSettled(produced);
    const taken = results.filter(({ status }) => status === 'fulfilled').length;
    expect(taken).toBe(9);
    expect(await reasonOf(produced[19] as Promise<unknown>)).toBe('overloaded');
    await expect(pump.produce({ topic, value: Buffer.alloc(1_000) })).resolves.toBeDefined();
  });

  it('lets go at the deadline of what it can not send, and does not send it later', async () => {
    const pump = newPump();
    const topic = uniqueName('later');
    expect(await reasonOf(pump.produce({ topic, value: Buffer.from('too early') }, 300))).toBe('deadline');
    expect(pump.depth).toEqual({ records: 0, bytes: 0 });
    const waiting = pump.produce({ topic, value: Buffer.from('in time') });
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 1 }] });
    await expect(waiting).resolves.toEqual({ partition: 0, offset: 0 });
  });

  it('drains on stop, and rejects what can not be drained', async () => {
    const topic = await newTopic();
    const pump = newPump();
    // So that what is drained is a send, and no look for leaders.
    await pump.start([topic]);
    const sent = pump.produce({ topic, value: Buffer.from('sent') });
    const stuck = reasonOf(pump.produce({ topic: uniqueName('nowhere'), value: null }));
    const stopped = pump.stop({ drainMs: 10_000 });
    expect(await reasonOf(pump.produce({ topic, value: null }))).toBe('stopped');
    await expect(sent).resolves.toMatchObject({ offset: 0 });
    expect(await stuck).toBe('stopped');
    await Promise.all([stopped, pump.stop({ drainMs: 0 })]);
  });
});
