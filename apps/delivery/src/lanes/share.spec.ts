import { describe, expect, it } from '@jest/globals';
import { partitionOf } from '@hookline/kafka';
import { lanePartitions } from './lane-topics.js';
import { LaneShare, type LanesGroup } from './share.js';

const lane = (name: string, partitions: number) => ({ name, partitions: Array.from({ length: partitions }) });

describe('the partitions of the lanes', () => {
  it('are as many in each', () => {
    expect(lanePartitions({ topics: [lane('a', 32), lane('b', 32)] })).toBe(32);
  });

  it('are refused where they differ: a subscription would have several owners', () => {
    expect(() => lanePartitions({ topics: [lane('a', 32), lane('b', 33)] })).toThrow('a has 32, b has 33');
    expect(() => lanePartitions({ topics: [lane('a', 0)] })).toThrow('a has 0');
  });
});

describe('the share of a worker', () => {
  it('are the subscriptions whose partition it has, by the key that their records have', () => {
    const group: LanesGroup = { owns: (topic, partition) => topic === 'lane' && partition < 3, members: () => 4 };
    const share = new LaneShare(
      'lane',
      () => 12,
      () => group,
    );
    const ids = Array.from({ length: 50 }, (_, n) => `sub_${n}`);
    expect(ids.map((id) => share.isOwner(id))).toEqual(ids.map((id) => partitionOf(Buffer.from(id), 12) < 3));
    expect(share.workers()).toBe(4);
  });

  it('is nothing before the group is joined', () => {
    const share = new LaneShare(
      'lane',
      () => 12,
      () => undefined,
    );
    expect([share.isOwner('sub_1'), share.workers()]).toEqual([false, 1]);
  });
});
