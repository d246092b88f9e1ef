import kafkajs, { type Cluster, type GroupMember, type PartitionAssigner } from 'kafkajs';
import { planPartitions, type Holder } from './partition-plan.js';

const { AssignerProtocol } = kafkajs;
const NAME = 'hookline.co-partitioning';
const VERSION = 1;

/** What this member holds, and since which generation. */
export interface Held {
  partitions: readonly number[];
  generation: number;
}

interface Subscriber extends Holder {
  readonly topics: readonly string[];
}

/**
 * Partition p of every topic of the group goes to one member: what it is keyed by has one owner in all of them.
 * Members tell in their user data what they hold, and the plan moves as little as it can.
 */
export function coPartitioningAssigner(held: () => Held): PartitionAssigner {
  return ({ cluster }) => ({
    name: NAME,
    version: VERSION,
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: AssignerProtocol.MemberMetadata.encode({ version: VERSION, topics, userData: encodeHeld(held()) }),
    }),
    assign: async ({ members }) => {
      const subscribers = members.map(subscriberOf);
      const counts = await partitionCounts(cluster, subscribers);
      const weights = new Map<number, number>();
      for (const count of counts.values()) {
        for (let number = 0; number < count; number++) weights.set(number, (weights.get(number) ?? 0) + 1);
      }
      const plan = planPartitions(subscribers, weights);
      const userData = Buffer.from(JSON.stringify({ members: members.length }));
      return subscribers.map((member) => ({
        memberId: member.memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: VERSION,
          assignment: assignmentOf(member, plan, counts),
          userData,
        }),
      }));
    },
  });
}

/**
 * How many members the group has, as its leader told this one with its partitions. A leader of before an update tells
 * nothing: then it is 1.
 */
export function membersIn(memberAssignment: Buffer): number {
  try {
    const { userData } = AssignerProtocol.MemberAssignment.decode(memberAssignment) ?? {};
    const { members } = JSON.parse(String(userData)) as { members?: unknown };
    return Number.isSafeInteger(members) && (members as number) > 0 ? (members as number) : 1;
  } catch {
    return 1;
  }
}

/**
 * While an update rolls, members may know different topics. A number goes to its member all the same: a topic that
 * it doesn't know yet waits for its update, rather than have two owners.
 */
async function partitionCounts(cluster: Cluster, subscribers: readonly Subscriber[]): Promise<Map<string, number>> {
  const topics = [...new Set(subscribers.flatMap((member) => member.topics))].sort();
  await cluster.addMultipleTargetTopics(topics);
  return new Map(topics.map((topic) => [topic, cluster.findTopicPartitionMetadata(topic).length]));
}

function assignmentOf(
  member: Subscriber,
  plan: ReadonlyMap<number, string>,
  counts: ReadonlyMap<string, number>,
): Record<string, number[]> {
  const numbers = [...plan].filter(([, memberId]) => memberId === member.memberId).map(([number]) => number);
  const assignment: Record<string, number[]> = {};
  for (const topic of member.topics) {
    const own = numbers.filter((number) => number < (counts.get(topic) ?? 0)).sort((a, b) => a - b);
    if (own.length > 0) assignment[topic] = own;
  }
  return assignment;
}

function subscriberOf({ memberId, memberMetadata }: GroupMember): Subscriber {
  const metadata = AssignerProtocol.MemberMetadata.decode(memberMetadata);
  const { partitions, generation } = decodeHeld(metadata?.userData);
  return { memberId, topics: metadata?.topics ?? [], held: partitions, generation };
}

function encodeHeld({ partitions, generation }: Held): Buffer {
  return Buffer.from(JSON.stringify({ partitions, generation }));
}

/** What can't be read holds nothing: then partitions move, and nothing else happens. */
function decodeHeld(userData: Buffer | null | undefined): Held {
  const nothing: Held = { partitions: [], generation: 0 };
  if (!userData?.length) return nothing;
  try {
    const held = JSON.parse(userData.toString('utf8')) as Partial<Held> | null;
    const partitions = Array.isArray(held?.partitions) ? held.partitions.filter(Number.isSafeInteger) : [];
    return { partitions, generation: Number.isSafeInteger(held?.generation) ? (held?.generation as number) : 0 };
  } catch {
    return nothing;
  }
}
