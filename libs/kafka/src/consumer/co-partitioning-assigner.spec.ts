import { describe, expect, it } from '@jest/globals';
import kafkajs, { type Assigner, type Cluster, type Logger } from 'kafkajs';
import { coPartitioningAssigner, membersIn, type Held } from './co-partitioning-assigner.js';

const { AssignerProtocol } = kafkajs;

/** As far as the assigner asks it. */
function clusterOf(counts: Readonly<Record<string, number>>): Cluster {
  const known = {
    addMultipleTargetTopics: () => Promise.resolve(),
    findTopicPartitionMetadata: (topic: string) =>
      Array.from({ length: counts[topic] ?? 0 }, (_, partitionId) => ({ partitionId })),
  };
  return known as unknown as Cluster;
}

function assignerOf(counts: Readonly<Record<string, number>>, held: Held): Assigner {
  return coPartitioningAssigner(() => held)({ cluster: clusterOf(counts), groupId: 'g', logger: {} as Logger });
}

async function assign(
  counts: Readonly<Record<string, number>>,
  members: readonly { memberId: string; topics: string[]; held?: Held; userData?: Buffer }[],
): Promise<Record<string, Record<string, number[]>>> {
  const group = members.map(({ memberId, topics, held, userData }) => ({
    memberId,
    memberMetadata: userData
      ? AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData })
      : assignerOf(counts, held ?? { partitions: [], generation: 0 }).protocol({ topics }).metadata,
  }));
  const answer = await assignerOf(counts, { partitions: [], generation: 0 }).assign({ members: group, topics: [] });
  return Object.fromEntries(
    answer.map(({ memberId, memberAssignment }) => [
      memberId,
      { ...AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment },
    ]),
  );
}

describe('coPartitioningAssigner', () => {
  it('gives partition p of every topic to one member, also where a topic has fewer', async () => {
    const topics = ['lanes', 'retry', 'small'];
    const given = await assign({ lanes: 6, retry: 6, small: 2 }, [
      { memberId: 'a', topics },
      { memberId: 'b', topics },
    ]);
    for (const { lanes, retry, small = [] } of Object.values(given)) {
      expect(retry).toEqual(lanes);
      expect(small).toEqual(lanes?.filter((partition) => partition < 2));
    }
    expect(Object.values(given).flatMap(({ lanes }) => lanes)).toHaveLength(6);
  });

  it('reads from the user data who holds what, and leaves it there', async () => {
    const given = await assign({ lanes: 4 }, [
      { memberId: 'a', topics: ['lanes'], held: { partitions: [1, 3], generation: 7 } },
      { memberId: 'b', topics: ['lanes'], held: { partitions: [0, 2], generation: 7 } },
    ]);
    expect(given).toEqual({ a: { lanes: [1, 3] }, b: { lanes: [0, 2] } });
  });

  it('a topic that its owner does not know yet waits for the owner, and has no other', async () => {
    const given = await assign({ lanes: 2, newer: 2 }, [
      { memberId: 'old', topics: ['lanes'], held: { partitions: [0], generation: 1 } },
      { memberId: 'updated', topics: ['lanes', 'newer'], held: { partitions: [1], generation: 1 } },
    ]);
    expect(given).toEqual({ old: { lanes: [0] }, updated: { lanes: [1], newer: [1] } });
  });

  it('takes user data that it cannot read for nothing held', async () => {
    for (const userData of [
      Buffer.from('{'),
      Buffer.from('null'),
      Buffer.from('{"partitions":["x"]}'),
      Buffer.alloc(0),
    ]) {
      const given = await assign({ lanes: 2 }, [
        { memberId: 'a', topics: ['lanes'], userData },
        { memberId: 'b', topics: ['lanes'] },
      ]);
      expect(
        Object.values(given)
          .flatMap(({ lanes }) => lanes)
          .sort(),
      ).toEqual([0, 1]);
    }
  });

  it('tells each member how many they are', async () => {
    const none: Held = { partitions: [], generation: 0 };
    const assigner = assignerOf({ lanes: 2 }, none);
    const { metadata: memberMetadata } = assigner.protocol({ topics: ['lanes'] });
    const members = ['a', 'b', 'c'].map((memberId) => ({ memberId, memberMetadata }));
    const answer = await assigner.assign({ members, topics: [] });
    // The third has no partition, and is a member all the same.
    expect(answer.map(({ memberAssignment }) => membersIn(memberAssignment))).toEqual([3, 3, 3]);
  });

  it.each(['', '{', 'null', '{}', '{"members":0}', '{"members":"3"}'])(
    'counts one member where the leader tells %j, as one of before an update does',
    (text) => {
      const userData = Buffer.from(text);
      expect(membersIn(AssignerProtocol.MemberAssignment.encode({ version: 1, assignment: {}, userData }))).toBe(1);
      expect(membersIn(Buffer.from(text))).toBe(1);
    },
  );
});
