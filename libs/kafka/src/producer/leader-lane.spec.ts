import { describe, expect, it } from '@jest/globals';
import { silentLogger, type Clock } from '@hookline/platform';
import type { RecordMetadata } from 'kafkajs';
import { LeaderLane, type LaneProducer, type LaneSurroundings } from './leader-lane.js';
import type { Appended } from './output.js';
import { PartitionBatch } from './partition-batch.js';
import { PartitionQueue } from './partition-queue.js';
import { PendingRecord } from './pending-record.js';
import { silentObserver } from './pump-observer.js';

type Sent = Record<number, string[]>;
type Script = (sent: Sent, attempt: number) => RecordMetadata[] | Error;

/** Answers as the script says, and writes down what it was asked. */
class ScriptedProducer implements LaneProducer {
  readonly steps: (Sent | string)[] = [];
  private attempts = 0;

  constructor(private readonly script: Script) {}

  async send(batches: readonly PartitionBatch[]): Promise<RecordMetadata[]> {
    const sent: Sent = {};
    for (const { queue, piece } of batches) sent[queue.partition] = piece.map(({ value }) => String(value));
    this.steps.push(sent);
    const answer = this.script(sent, ++this.attempts);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  replace = async (): Promise<void> => void this.steps.push('replace');
  reconnect = async (): Promise<void> => void this.steps.push('reconnect');
  doubtLeaders = (): void => undefined;
  renewIfWorn = async (): Promise<void> => undefined;
  warm = async (): Promise<void> => undefined;
  close = async (): Promise<void> => undefined;
}

const impatient: Clock = {
  now: () => 0,
  after(_ms, callback) {
    const timer = setImmediate(callback);
    return () => clearImmediate(timer);
  },
};

const acknowledging = (sent: Sent): RecordMetadata[] =>
  Object.keys(sent).map((partition) => ({
    topicName: 't',
    partition: Number(partition),
    errorCode: 0,
    baseOffset: '100',
  }));
const protocol = (type: string): Error => Object.assign(new Error(type), { type });

/** Delivers the values by partition; returns what was done, and what became of each value. */
async function deliver(values: Sent, script: Script, onAppended?: LaneSurroundings['onAppended']) {
  const producer = new ScriptedProducer(script);
  const fates: Record<string, Appended | string> = {};
  const batches = Object.entries(values).map(([partition, texts]) => {
    const records = texts.map(
      (text) =>
        new PendingRecord(
          { topic: 't', partition: Number(partition), value: Buffer.from(text) },
          Infinity,
          (appended) => (fates[text] = appended),
          ({ reason }) => (fates[text] = reason),
        ),
    );
    return new PartitionBatch(new PartitionQueue('t', Number(partition), 1), records, () => undefined);
  });
  const lane = new LeaderLane(1, producer, {
    clock: impatient,
    logger: silentLogger,
    observer: silentObserver,
    stopped: new AbortController().signal,
    onStale: () => undefined,
    onAppended,
  });
  await lane.deliver(batches, () => undefined);
  return { steps: producer.steps, fates, idle: lane.idle };
}

const at = (partition: number, offset: number): Appended => ({ partition, offset });

describe('LeaderLane', () => {
  it('sends the part again that an answer leaves out, and nothing else', async () => {
    const { steps, fates, idle } = await deliver({ 0: ['a'], 1: ['b', 'c'] }, (sent, attempt) =>
      acknowledging(sent).slice(0, attempt === 1 ? 1 : undefined),
    );
    expect(steps).toEqual([{ 0: ['a'], 1: ['b', 'c'] }, { 1: ['b', 'c'] }]);
    expect(fates).toEqual({ a: at(0, 100), b: at(1, 100), c: at(1, 101) });
    expect(idle).toBe(true);
  });

  it('sends each partition alone, as it was, after a failure: they may have gone to several leaders', async () => {
    const { steps } = await deliver({ 0: ['a'], 1: ['b', 'c'] }, (sent, attempt) =>
      attempt <= 2 ? protocol('NOT_LEADER_FOR_PARTITION') : acknowledging(sent),
    );
    expect(steps).toEqual([{ 0: ['a'], 1: ['b', 'c'] }, { 0: ['a'] }, { 1: ['b', 'c'] }, { 0: ['a'] }]);
  });

  it('takes a new producer when the sequence is lost, and sends the same again', async () => {
    const { steps, fates } = await deliver({ 0: ['a', 'b'] }, (sent, attempt) =>
      attempt === 1 ? protocol('OUT_OF_ORDER_SEQUENCE_NUMBER') : acknowledging(sent),
    );
    expect(steps).toEqual([{ 0: ['a', 'b'] }, 'replace', { 0: ['a', 'b'] }]);
    expect(fates).toEqual({ a: at(0, 100), b: at(0, 101) });
  });

  it('reconnects a client that is stuck, and gives it up only when that has not helped', async () => {
    const { steps } = await deliver({ 0: ['a'] }, (sent, attempt) =>
      attempt <= 9 ? new Error('Broker not connected') : acknowledging(sent),
    );
    const remedies = steps.filter((step) => typeof step === 'string');
    expect(remedies).toEqual([...Array.from({ length: 8 }, () => 'reconnect'), 'replace']);
  });

  it('tells when its leader appended, where the leader says so', async () => {
    const told: [number, number][] = [];
    const times = ['1700000000123', '-1'];
    await deliver(
      { 0: ['a'], 1: ['b'] },
      (sent) => acknowledging(sent).map((entry, each) => Object.assign(entry, { logAppendTime: times[each] })),
      (leader, appendTime) => told.push([leader, appendTime]),
    );
    expect(told).toEqual([[1, 1_700_000_000_123]]);
  });

  it('keeps the producer while brokers are down, however long', async () => {
    const down = Object.assign(new Error('ECONNREFUSED'), { name: 'KafkaJSConnectionError' });
    const { steps } = await deliver({ 0: ['a'] }, (sent, attempt) => (attempt <= 30 ? down : acknowledging(sent)));
    expect(steps.filter((step) => typeof step === 'string')).toEqual([]);
    expect(steps).toHaveLength(31);
  });

  it('finds the refused record among several partitions', async () => {
    const { fates } = await deliver({ 0: ['a', 'bad', 'b'], 1: ['c'] }, (sent) =>
      Object.values(sent).flat().includes('bad') ? protocol('MESSAGE_TOO_LARGE') : acknowledging(sent),
    );
    expect(fates).toEqual({ a: at(0, 100), bad: 'refused', b: at(0, 100), c: at(1, 100) });
  });
});
