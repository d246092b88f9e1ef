import type { Broker, Cluster } from 'kafkajs';

/** Who we are in the group; a commit carries it, and the broker refuses it once the group has moved on. */
export interface Member {
  readonly memberId: string;
  readonly generationId: number;
}

export interface PartitionCommit {
  partition: number;
  offset: string;
  metadata: string;
}

export interface TopicCommit {
  topic: string;
  partitions: PartitionCommit[];
}

/** What is seen and decided between kafkajs and the coordinator. */
export interface CoordinatorHooks {
  /** The consumer was given up: nothing but leaving goes through any more. */
  isClosed(): boolean;
  /** Awaited before the join is sent: the last moment at which the old generation is surely ours. */
  beforeJoin(): Promise<void>;
  joined(member: Member): void;
  /** What the leader of the group gave this member, as its assigner encoded it. */
  synced(memberAssignment: Buffer): void;
  /** A heartbeat, or the sync of a new generation; called before it is sent, the result when it was accepted. */
  beat(): () => void;
  /** The coordinator refused a heartbeat or a sync. */
  refused(error: unknown): void;
  /** kafkajs found its position outside of the log, and would now forget the committed one. */
  outOfRange(topic: string, partition: number): void;
}

/** The part of kafkajs' broker that its types leave out. */
export interface Coordinator {
  isConnected(): boolean;
  joinGroup(request: object): Promise<Member>;
  syncGroup(request: object): Promise<{ memberAssignment: Buffer }>;
  heartbeat(request: object): Promise<unknown>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
  offsetCommit(
    request: { groupId: string; memberId: string; groupGenerationId: number } & { topics: readonly TopicCommit[] },
  ): Promise<unknown>;
}

class GivenUp extends Error {
  override name = 'GivenUp';
  /** kafkajs tries everything again that doesn't say this. */
  readonly retriable = false;
}

/**
 * kafkajs has no hook before a rebalance, doesn't tell the generation, sends a commit again under a later
 * generation, and answers an age-out by committing −2 over the evidence. All of that passes through the cluster
 * that it hands to its assigners, so there it is seen, and put right. Written against 2.2.4, the last one.
 */
export function tapCoordinator(cluster: Cluster, groupId: string, hooks: CoordinatorHooks): void {
  const findBroker = cluster.findBroker.bind(cluster);
  const tapped = new WeakMap<Broker, Broker>();
  const findGroupCoordinator = cluster.findGroupCoordinator.bind(cluster);
  // Asked first: looking for the coordinator opens a connection, which nobody would close any more.
  cluster.findGroupCoordinator = async (group) => {
    refuseIfClosed(hooks);
    return findGroupCoordinator(group);
  };
  cluster.findBroker = async (node) => {
    refuseIfClosed(hooks);
    const broker = await findBroker(node);
    let tap = tapped.get(broker);
    if (tap === undefined) {
      tap = withHooks(broker, groupId, hooks);
      tapped.set(broker, tap);
    }
    return tap;
  };
}

function refuseIfClosed(hooks: CoordinatorHooks): void {
  if (hooks.isClosed()) throw new GivenUp('this consumer was given up');
}

function withHooks(broker: Broker, groupId: string, hooks: CoordinatorHooks): Broker {
  const coordinator = broker as unknown as Coordinator;

  const accepted = async <T>(send: () => Promise<T>): Promise<T> => {
    refuseIfClosed(hooks);
    const renew = hooks.beat();
    try {
      const answer = await send();
      renew();
      return answer;
    } catch (error) {
      hooks.refused(error);
      throw error;
    }
  };

  const joinGroup: Coordinator['joinGroup'] = async (request) => {
    refuseIfClosed(hooks);
    await hooks.beforeJoin();
    refuseIfClosed(hooks);
    const member = await coordinator.joinGroup(request);
    if (hooks.isClosed()) {
      // Given up while the answer was awaited: a member that nobody serves would hold its partitions.
      await coordinator.leaveGroup({ groupId, memberId: member.memberId });
      refuseIfClosed(hooks);
    }
    hooks.joined(member);
    return member;
  };

  const offsetCommit: Coordinator['offsetCommit'] = async (request) => {
    // Ours are never negative: this one is kafkajs' reset after "offset out of range".
    const resets = request.topics.flatMap(({ topic, partitions }) =>
      partitions.filter(({ offset }) => Number(offset) < 0).map(({ partition }) => ({ topic, partition })),
    );
    if (resets.length === 0) return coordinator.offsetCommit(request);
    for (const { topic, partition } of resets) hooks.outOfRange(topic, partition);
    return undefined;
  };

  const syncGroup: Coordinator['syncGroup'] = async (request) => {
    const answer = await accepted(() => coordinator.syncGroup(request));
    hooks.synced(answer.memberAssignment);
    return answer;
  };

  const own: Partial<Coordinator> = {
    joinGroup,
    syncGroup,
    offsetCommit,
    heartbeat: (request) => accepted(() => coordinator.heartbeat(request)),
  };
  return new Proxy(broker, {
    get(target, property) {
      if (Object.hasOwn(own, property)) return own[property as keyof Coordinator];
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
