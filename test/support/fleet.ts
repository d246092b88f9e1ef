import { kafkaSection, loadConfig } from '@hookline/config';
import { EVENTS_GROUP, LANES_GROUP } from '@hookline/contracts';
import type { Exit, RoleProcess } from '@hookline/embedded';
import { createKafka } from '@hookline/kafka';
import { silentLogger } from '@hookline/platform';
import { waitUntil } from '@hookline/testing';
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
    const brokers = this.hookline.installation.kafka?.brokers.join();
    const { kafka } = loadConfig({ kafka: kafkaSection }, { KAFKA_BROKERS: brokers });
    const admin = createKafka(kafka, { role: 'test', logger: silentLogger }).admin();
    await admin.connect();
    try {
      await waitUntil(
        async () => {
          const { groups } = await admin.describeGroups(GROUPS);
          return groups.every(({ state, members }) => state === 'Stable' && members.length === count);
        },
        { deadlineMs: 90_000, what: `${count} members in each group` },
      );
    } finally {
      await admin.disconnect();
    }
  }

  private remove(worker: RoleProcess): void {
    this.workers.splice(this.workers.indexOf(worker), 1);
  }
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
