import { describe, expect, it } from '@jest/globals';
import { decodeOffsetMetadata } from '@hookline/domain';
import { Committer, type CommitTarget } from './committer.js';
import type { TopicCommit } from './coordinator-tap.js';
import { OwnedPartition } from './owned-partition.js';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const member = { memberId: 'm', generationId: 1 };

function openPartition(records: number): OwnedPartition {
  const partition = new OwnedPartition('t', 0, { records: 1e6, bytes: 1e9 }, false);
  partition.restore({ watermark: 0, start: 0, end: records }, { complete: [], remainders: [] });
  partition.pauses.delete('restoring');
  for (let offset = 0; offset < records; offset++) partition.tracker?.begin(offset);
  return partition;
}

describe('a commit', () => {
  it('tells what is left of records, and pauses their partition while that fills the metadata', async () => {
    const commits: TopicCommit[] = [];
    const target: CommitTarget = { member, commit: async (_, topics) => void commits.push(...topics) };
    const committer = new Committer(
      quiet,
      {},
      () => 0,
      () => undefined,
    );
    const partition = openPartition(1_000);
    const partsOf = (offset: number): string[] => ['a', 'b', 'c', 'd'].map((name) => `${name}${offset}`);
    const complete = async (from: number, to: number, parts: number): Promise<void> => {
      for (let offset = from; offset < to; offset++) {
        for (const part of partsOf(offset).slice(0, parts)) partition.partsOf(offset, partsOf(offset)).complete(part);
        if (parts === 4) partition.tracker?.complete(offset);
      }
      await committer.commit(target, [partition]);
    };

    await complete(0, 10, 2);
    expect(partition.pauses.size).toBe(0);
    const { offset, metadata } = commits.at(-1)?.partitions[0] ?? {};
    expect(decodeOffsetMetadata(Number(offset), metadata).remainders).toHaveLength(10);

    await complete(10, 1_000, 2);
    expect([...partition.pauses]).toEqual(['metadata']);
    expect(commits.at(-1)?.partitions[0]?.metadata.length).toBeLessThanOrEqual(4_096);
    await complete(0, 950, 4);
    expect(partition.pauses.size).toBe(0);
    await complete(950, 1_000, 4);
    expect(commits.at(-1)?.partitions).toEqual([{ partition: 0, offset: '1000', metadata: '' }]);
  });
});
