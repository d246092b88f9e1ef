import { kafkaSection, loadConfig } from '@hookline/config';
import { EVENTS_GROUP, LANES_GROUP, retryDelayOf, TOPICS } from '@hookline/contracts';
import type { Exit, RoleProcess } from '@hookline/embedded';
import { createKafka, TopicOffsets } from '@hookline/kafka';
import { silentLogger } from '@hookline/platform';
import { waitUntil } from '@hookline/testing';
import type { Admin } from 'kafkajs';
import type { HooklineUnderTest } from './hookline.js';

const GROUPS = [EVENTS_GROUP, LANES_GROUP];

/** The delivery workers of an installation: each can be stopped, killed, frozen and replaced. */
export class Fleet {
  readonly workers: RoleProcess[];

  constructor(private readonly hookline: HooklineUnderTest) {
    const { process } = hookline.installation.role('delivery');
    this.workers = process ? [process] : [];
  }

  /** Starts as many as it lacks; each is in both groups then. */
  async growTo(size: number): Promise<void> {
    while (this.workers.length < size) this.workers.push(await this.hookline.another('delivery'));
  }

  /** Lets it drain. */
  async stop(worker: RoleProcess): Promise<Exit> {
    this.remove(worker);
    const supervised = this.hookline.installation.role('delivery');
    // Else it would be started again.
    if (supervised.process === worker) await supervised.stop();
    return worker.stop();
  }

  async kill(worker: RoleProcess): Promise<void> {
    this.remove(worker);
    const supervised = this.hookline.installation.role('delivery');
    await (supervised.process === worker ? supervised.kill() : worker.kill());
  }

  /** Waits until both groups count on so many members. */
  async untilMembers(count: number): Promise<void> {
    await this.asking((admin) =>
      waitUntil(
        async () => {
          const { groups } = await admin.describeGroups(GROUPS);
          return groups.every(({ state, members }) => state === 'Stable' && members.length === count);
        },
        { deadlineMs: 90_000, what: `${count} members in each group` },
      ),
    );
  }

  /** Waits until everything that any lane has is done with, by what the workers have committed. */
  async untilLanesAreThrough(): Promise<void> {
    await this.asking(async (admin) => {
      const isLane = (topic: string): boolean =>
        topic === TOPICS.deliveries || topic === TOPICS.replays || retryDelayOf(topic) !== undefined;
      const lanes = (await admin.listTopics()).filter(isLane);
      await waitUntil(
        // Twice: what moves from one lane to another between two looks is seen by the second, for it waits there for a second.
        async () => (await openIn(admin, lanes)) + (await openIn(admin, lanes)) === 0,
        { deadlineMs: 90_000, what: 'the lanes to be through', seen: () => openIn(admin, lanes) },
      );
    });
  }

  private async asking(ask: (admin: Admin) => Promise<unknown>): Promise<void> {
    const brokers = this.hookline.installation.kafka?.brokers.join();
    const { kafka } = loadConfig({ kafka: kafkaSection }, { KAFKA_BROKERS: brokers });
    const admin = createKafka(kafka, { role: 'test', logger: silentLogger }).admin();
    await admin.connect();
    try {
      await ask(admin);
    } finally {
      await admin.disconnect();
    }
  }

  private remove(worker: RoleProcess): void {
    this.workers.splice(this.workers.indexOf(worker), 1);
  }
}

/** Records of these lanes that are not complete. */
async function openIn(admin: Admin, lanes: readonly string[]): Promise<number> {
  const offsets = new TopicOffsets(admin);
  const open = lanes.map(async (topic) => {
    const [found] = await admin.fetchOffsets({ groupId: LANES_GROUP, topics: [topic] });
    const committed = new Map(found?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    const bounds = await offsets.bounds(topic);
    return bounds.reduce(
      (sum, { partition, low, high }) => sum + high - Math.max(low, committed.get(partition) ?? 0),
      0,
    );
  });
  return (await Promise.all(open)).reduce((sum, count) => sum + count, 0);
}

/** The sum of a metric's values, of those whose labels are like this. */
export async function metricOf(worker: RoleProcess, name: string, labels = /(?:)/): Promise<number> {
  const text = await (await fetch(`${worker.url}/metrics`)).text();
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && labels.test(line))
    .map((line) => Number(line.slice(line.lastIndexOf(' '))));
  return values.reduce((sum, value) => sum + value, 0);
}
