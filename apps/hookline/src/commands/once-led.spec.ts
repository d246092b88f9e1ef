import { describe, expect, it } from '@jest/globals';
import { readKnown } from '@hookline/kafka';
import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import { isNotLed, isPassing, onceLed } from './once-led.js';

const notLed = (): Error =>
  new kafkajs.KafkaJSProtocolError({
    type: 'NOT_LEADER_FOR_PARTITION',
    code: 6,
    retriable: true,
    message: 'not led',
  } as never);

describe('a partition that has no leader yet', () => {
  it('is asked for again by a new client, until it has one', async () => {
    let clients = 0;
    let connected = 0;
    const admin = { connect: async () => void connected++, disconnect: async () => void connected-- };
    const kafka = { admin: () => (clients++, admin as unknown as Admin) } as unknown as Kafka;
    const done = await onceLed(kafka, async () => {
      if (clients < 3) throw notLed();
      return 'done';
    });
    expect([done, clients, connected]).toEqual(['done', 3, 0]);
    await expect(
      onceLed(kafka, async () => {
        throw new Error('another');
      }),
    ).rejects.toThrow('another');
    expect([clients, connected]).toEqual([4, 0]);
  });

  it('is known as such also as the cause of another error', () => {
    expect(isNotLed(Object.assign(new Error('gave up'), { cause: notLed() }))).toBe(true);
    expect([isNotLed(new Error('other')), isNotLed(undefined)]).toEqual([false, false]);
  });

  it('is known as such where a broker names none of the partitions, or not all: kafkajs stumbles, or leaves them out', async () => {
    const stumbles = () => Promise.reject(new TypeError('Cannot destructure property'));
    for (const fetchTopicOffsets of [stumbles, () => Promise.resolve([])]) {
      const admin = { fetchOffsets: () => Promise.resolve([]), fetchTopicOffsets } as unknown as Admin;
      const asked = readKnown(admin, 'group', [{ topic: 'topic', partition: 0 }], undefined);
      expect(isPassing(await asked.catch((error: unknown) => error))).toBe(true);
    }
  });

  it('passes like a group without a coordinator, and a broker that went while it was asked', () => {
    const gone = new kafkajs.KafkaJSConnectionError('closed', { broker: 'a', code: 'b' });
    const types = ['GROUP_LOAD_IN_PROGRESS', 'TOPIC_AUTHORIZATION_FAILED'].map((type) => ({ type }));
    expect([notLed(), gone, ...types, new Error('other'), undefined].map(isPassing)).toEqual([
      ...[true, true, true],
      ...[false, false, false],
    ]);
  });
});
