import { describe, expect, it } from '@jest/globals';
import { CompletionTracker, decodeOffsetMetadata, encodeOffsetMetadata, type OffsetProgress } from '@hookline/domain';
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

const committerOf = (flowChanged: () => void = () => undefined): Committer =>
  new Committer(quiet, {}, () => 0, flowChanged);

/** What a former owner has left of 400 events that matched eight subscriptions each. */
function muchLeft(): OffsetProgress {
  const tracker = new CompletionTracker(0);
  for (let offset = 0; offset < 400; offset++) {
    tracker.begin(offset);
    const names = Array.from({ length: 8 }, (_, n) => `sub_${offset}_${n}`);
    const parts = tracker.parts(offset, names);
    for (const name of names.slice(3)) parts.complete(name);
  }
  const above = { complete: tracker.completeAbove(), remainders: tracker.remainders() };
  return decodeOffsetMetadata(0, encodeOffsetMetadata(0, above).text);
}

describe('a commit', () => {
  it('tells what is left of records, and pauses their partition while that fills the metadata', async () => {
    const commits: TopicCommit[] = [];
    const target: CommitTarget = { member, commit: async (_, topics) => void commits.push(...topics) };
    const committer = committerOf();
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

  it('pauses no partition for what a former owner has left there, but for what is in flight, until that is complete', async () => {
    let commits = 0;
    let changes = 0;
    const target: CommitTarget = { member, commit: async () => void commits++ };
    const committer = committerOf(() => changes++);
    const partition = new OwnedPartition('t', 0, { records: 1e6, bytes: 1e9 }, false);
    partition.restore({ watermark: 0, start: 0, end: 5_000 }, muchLeft());
    partition.pauses.delete('restoring');
    const commit = async (): Promise<void> => {
      await committer.commit(target, [partition]);
    };

    // Nothing is in flight whose completion would ever end it.
    await commit();
    expect([commits, partition.pauses.size]).toEqual([1, 0]);

    partition.tracker?.begin(0);
    await commit();
    expect([...partition.pauses]).toEqual(['metadata']);

    // Still full, and nothing is left that could change that but reading on.
    partition.tracker?.complete(0);
    const before = changes;
    await commit();
    expect([changes - before, partition.pauses.size]).toEqual([1, 0]);
  });
});
