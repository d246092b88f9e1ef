import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { groupedRecords } from './grouped-records.js';
import type { PendingRecord } from './pending-record.js';

interface Request {
  topic: string;
  partitionMetadata: readonly object[];
  messages: readonly PendingRecord[];
  partitioner: (args: { message: PendingRecord }) => number;
}

const groupByKafkajs = createRequire(import.meta.url)('kafkajs/src/producer/groupMessagesPerPartition.js') as (
  request: Request,
) => Record<number, PendingRecord[]>;

describe('the records of a send', () => {
  const records = [0, 2, 0, 1, 2, 2, 0].map((partition, n) => ({ partition, value: n }) as unknown as PendingRecord);

  function group(messages: readonly PendingRecord[]): { groups: object; asked: PendingRecord[] } {
    const asked: PendingRecord[] = [];
    const partitioner = ({ message }: { message: PendingRecord }): number => {
      asked.push(message);
      return message.partition;
    };
    return { groups: groupByKafkajs({ topic: 't', partitionMetadata: [{}], messages, partitioner }), asked };
  }

  it('are grouped as kafkajs groups them, in order, however often it asks', () => {
    const grouped = groupedRecords(records);
    expect(group(grouped).groups).toEqual(group(records).groups);
    expect(group(grouped).groups).toEqual(group(records).groups);
    expect([...grouped]).toEqual(records);
  });

  it('are asked for their partition once for each partition: who leads it is looked at then', () => {
    expect(group(records).asked).toHaveLength(7);
    expect(group(groupedRecords(records)).asked).toEqual([records[0], records[1], records[3]]);
  });

  it('are not sent where a partition is refused', () => {
    const partitioner = (): number => {
      throw new Error('no leader');
    };
    const request = { topic: 't', partitionMetadata: [{}], messages: groupedRecords(records), partitioner };
    expect(() => groupByKafkajs(request)).toThrow('no leader');
  });
});
