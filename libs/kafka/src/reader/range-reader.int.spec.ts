import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTopics, testKafkaBrokers, uniqueName, waitUntil } from '@hookline/testing';
import { Kafka, logLevel, type Admin, type Producer } from 'kafkajs';
import { RangeReader, type OffsetRange } from './range-reader.js';
import { TopicOffsets } from './topic-offsets.js';

const kafka = new Kafka({
  clientId: 'reader-test',
  brokers: testKafkaBrokers(),
  connectionTimeout: 10_000,
  logLevel: logLevel.NOTHING,
});
let admin: Admin;
let producer: Producer;

beforeAll(async () => {
  admin = kafka.admin();
  producer = kafka.producer({ idempotent: true });
  await Promise.all([admin.connect(), producer.connect()]);
});

afterAll(async () => {
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

async function topicOf(partitions: number, config: Record<string, string> = {}): Promise<string> {
  const topic = uniqueName('ranges');
  const configEntries = Object.entries({ 'message.timestamp.type': 'LogAppendTime', ...config }).map(
    ([name, value]) => ({ name, value }),
  );
  await createTopics(admin, [{ topic, numPartitions: partitions, configEntries }]);
  return topic;
}

/** Values are `<partition>:<offset>`, so that a swap would be seen. */
async function fill(topic: string, partition: number, count: number, from = 0): Promise<void> {
  const messages = Array.from({ length: count }, (_, i) => ({ partition, value: `${partition}:${from + i}` }));
  await producer.send({ topic, messages });
}

/** kafkajs finds the leaders only of topics that this client has asked about before. */
async function deleteBelow(topic: string, offset: number): Promise<void> {
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
}

/** A transaction's marker is written shortly after the commit was answered. */
const endOf = (topic: string, atLeast: number): Promise<number> =>
  waitUntil(
    async () => {
      const [bounds] = await new TopicOffsets(admin).bounds(topic);
      return bounds !== undefined && bounds.high >= atLeast && bounds.high;
    },
    { deadlineMs: 60_000, what: `offset ${atLeast} of ${topic}` },
  );

interface Read {
  values: string[];
  next: Map<number, number>;
  gone: number;
}

async function readAll(topic: string, ranges: OffsetRange[]): Promise<Read> {
  const read: Read = { values: [], next: new Map(), gone: 0 };
  for await (const batch of new RangeReader(kafka).read(topic, ranges)) {
    for (const record of batch.records) read.values.push(String(record.value));
    read.next.set(batch.partition, batch.next);
    read.gone += batch.gone;
  }
  return read;
}

function expected(ranges: OffsetRange[]): string[] {
  return ranges.flatMap(({ partition, from, to }) =>
    Array.from({ length: to - from }, (_, i) => `${partition}:${from + i}`),
  );
}

function inPartition(values: string[], partition: number): string[] {
  return values.filter((value) => value.startsWith(`${partition}:`));
}

describe('RangeReader', () => {
  it('reads exactly what the ranges name, in order, and nothing of other partitions', async () => {
    const topic = await topicOf(4);
    for (const partition of [0, 1, 2, 3]) {
      await fill(topic, partition, 60);
      await fill(topic, partition, 60, 60);
    }
    const ranges = [
      { partition: 0, from: 17, to: 93 },
      { partition: 1, from: 119, to: 120 },
      { partition: 2, from: 50, to: 50 },
      { partition: 3, from: 0, to: 61 },
    ];
    const read = await readAll(topic, ranges);
    for (const range of ranges) expect(inPartition(read.values, range.partition)).toEqual(expected([range]));
    expect(Object.fromEntries(read.next)).toEqual({ 0: 93, 1: 120, 3: 61 });
  });

  it('leaves no group and no offsets behind', async () => {
    const topic = await topicOf(1);
    await fill(topic, 0, 3);
    const before = (await admin.listGroups()).groups.map((group) => group.groupId);
    await readAll(topic, [{ partition: 0, from: 0, to: 3 }]);
    const after = (await admin.listGroups()).groups.map((group) => group.groupId);
    expect(after.filter((id) => id.includes('reader') && !before.includes(id))).toEqual([]);
  });

  it('ends where the last offsets of a range are transaction markers', async () => {
    const topic = await topicOf(1);
    await fill(topic, 0, 2);
    const transactional = kafka.producer({
      transactionalId: uniqueName('tx'),
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await transactional.connect();
    const transaction = await transactional.transaction();
    await transaction.send({ topic, messages: [{ partition: 0, value: '0:2' }] });
    await transaction.commit();
    await transactional.disconnect();
    expect(await endOf(topic, 4)).toBe(4);
    const read = await readAll(topic, [{ partition: 0, from: 0, to: 4 }]);
    expect(read.values).toEqual(['0:0', '0:1', '0:2']);
    expect(read.next.get(0)).toBe(4);
    expect((await readAll(topic, [{ partition: 0, from: 3, to: 4 }])).next.get(0)).toBe(4);
  });

  it('goes on at the log start, and says how much retention had deleted', async () => {
    const topic = await topicOf(2);
    await fill(topic, 0, 20);
    await fill(topic, 1, 20);
    await deleteBelow(topic, 12);
    const read = await readAll(topic, [
      { partition: 0, from: 5, to: 15 },
      { partition: 1, from: 5, to: 15 },
    ]);
    expect(inPartition(read.values, 0)).toEqual(expected([{ partition: 0, from: 12, to: 15 }]));
    expect(inPartition(read.values, 1)).toEqual(expected([{ partition: 1, from: 5, to: 15 }]));
    expect(read.gone).toBe(7);
  });

  it('ends when a whole range is deleted', async () => {
    const topic = await topicOf(1);
    await fill(topic, 0, 20);
    await deleteBelow(topic, 20);
    const read = await readAll(topic, [{ partition: 0, from: 5, to: 15 }]);
    expect(read).toEqual({ values: [], next: new Map([[0, 15]]), gone: 10 });
  });

  it('fetches no further than one round ahead of its caller', async () => {
    const topic = await topicOf(1);
    const value = 'x'.repeat(100_000);
    for (let i = 0; i < 10; i += 1)
      await producer.send({ topic, messages: Array.from({ length: 5 }, () => ({ partition: 0, value })) });
    const reader = new RangeReader(kafka, { maxBytes: 500_000 });
    const batches: number[] = [];
    for await (const batch of reader.read(topic, [{ partition: 0, from: 0, to: 50 }])) {
      batches.push(batch.records.length);
    }
    expect(batches.reduce((sum, size) => sum + size, 0)).toBe(50);
    expect(Math.max(...batches)).toBeLessThanOrEqual(10);
  });

  it('stops with the reason of its signal', async () => {
    const topic = await topicOf(1);
    await fill(topic, 0, 10);
    const stop = new AbortController();
    const reading = (async () => {
      // The range ends past the log: without the signal it would wait for records to come.
      for await (const batch of new RangeReader(kafka).read(topic, [{ partition: 0, from: 0, to: 99 }], stop.signal))
        if (batch.next === 10) stop.abort(new Error('enough'));
    })();
    await expect(reading).rejects.toThrow('enough');
  });
});

describe('TopicOffsets', () => {
  it('finds the first offset appended at or after a time, and the end where there is none', async () => {
    const topic = await topicOf(2);
    for (let i = 0; i < 5; i += 1) await fill(topic, 0, 1, i);
    const times: number[] = [];
    for await (const { records } of new RangeReader(kafka).read(topic, [{ partition: 0, from: 0, to: 5 }]))
      for (const record of records) times.push(record.timestamp);
    const offsets = new TopicOffsets(admin);
    for (const time of times) {
      const first = times.findIndex((other) => other >= time);
      expect((await offsets.at(topic, time)).get(0)).toBe(first);
    }
    const last = times.at(-1) ?? 0;
    expect([...(await offsets.at(topic, last + 1))]).toEqual(
      expect.arrayContaining([
        [0, 5],
        [1, 0],
      ]),
    );
  });
});
