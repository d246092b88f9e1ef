import { describe, expect, it } from '@jest/globals';
import type { RecordMetadata } from 'kafkajs';
import { settleAcknowledged } from './acknowledgement.js';
import type { Appended } from './output.js';
import { PartitionBatch } from './partition-batch.js';
import { PartitionQueue } from './partition-queue.js';
import { PendingRecord } from './pending-record.js';

/** A batch of records named by their values, and what became of each. */
function batchOf(
  partition: number,
  ...values: string[]
): { batch: PartitionBatch; fates: Map<string, Appended | string> } {
  const fates = new Map<string, Appended | string>();
  const records = values.map(
    (value) =>
      new PendingRecord(
        { topic: 't', partition, value: Buffer.from(value) },
        Infinity,
        (appended) => fates.set(value, appended),
        (error) => fates.set(value, error.reason),
      ),
  );
  return { batch: new PartitionBatch(new PartitionQueue('t', partition, 1), records, () => undefined), fates };
}

const answer = (partition: number, baseOffset: string, errorCode = 0): RecordMetadata => ({
  topicName: 't',
  partition,
  errorCode,
  baseOffset,
});

const valuesOf = (batch: PartitionBatch): string[] => batch.piece.map(({ value }) => String(value));

describe('settleAcknowledged', () => {
  it('gives each record its offset', () => {
    const { batch, fates } = batchOf(0, 'a', 'b');
    expect(settleAcknowledged([batch], [answer(0, '40')])).toEqual([]);
    expect(fates).toEqual(
      new Map([
        ['a', { partition: 0, offset: 40 }],
        ['b', { partition: 0, offset: 41 }],
      ]),
    );
  });

  it('returns what the answer leaves out, as it was', () => {
    const covered = batchOf(0, 'a');
    const left = batchOf(1, 'b', 'c');
    expect(settleAcknowledged([covered.batch, left.batch], [answer(0, '0')])).toEqual([left.batch]);
    expect(left.fates.size).toBe(0);
    expect(valuesOf(left.batch)).toEqual(['b', 'c']);
  });

  it('takes an error for no acknowledgement, and another topic for another', () => {
    const { batch } = batchOf(0, 'a');
    expect(settleAcknowledged([batch], [answer(0, '5', 7), { ...answer(0, '5'), topicName: 'u' }])).toEqual([batch]);
  });

  it('says so when the broker gives no offset', () => {
    const { batch, fates } = batchOf(0, 'a', 'b');
    settleAcknowledged([batch], [answer(0, '-1')]);
    expect([...fates.values()]).toEqual([
      { partition: 0, offset: -1 },
      { partition: 0, offset: -1 },
    ]);
  });
});

describe('a refused batch', () => {
  it('is halved until the record at fault stands alone; the others go on, in order', () => {
    const { batch, fates } = batchOf(0, 'a', 'b', 'bad', 'c');
    let offset = 0;
    while (batch.open) {
      const values = valuesOf(batch);
      if (values.includes('bad')) batch.refuse('too large');
      else {
        batch.acknowledge(offset);
        offset += values.length;
      }
    }
    expect(fates.get('bad')).toBe('refused');
    expect(['a', 'b', 'c'].map((value) => fates.get(value))).toEqual(
      [0, 1, 2].map((at) => ({ partition: 0, offset: at })),
    );
  });
});
