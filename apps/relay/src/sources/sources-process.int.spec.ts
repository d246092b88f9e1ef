import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startRole, testReplication, uniqueName, type RoleProcess } from '@hookline/testing';
import { ordersFor, seeded } from './testing/orders.js';
import { SourcesRig } from './testing/sources-rig.js';

const PARTITIONS = 3;
const CHUNK = 1_000;
const KILLS = 2;

/** The role as it is built, in a process that can be killed. */
describe('the relay process with a source', () => {
  let rig: SourcesRig;
  let role: RoleProcess | undefined;

  beforeEach(async () => {
    rig = await SourcesRig.open();
  });
  afterEach(async () => {
    await role?.kill();
    await rig.close();
  });

  it('is killed while records come, again and again: each is an event, with one id, in the order of its key', async () => {
    const topic = await rig.topic(PARTITIONS);
    const source = { name: uniqueName('orders'), tenant: rig.tenant, topic, format: 'cloudevents' };
    const orders = ordersFor(PARTITIONS, (KILLS + 1) * CHUNK, seeded(1)).map((order) => ({
      ...order,
      message: { ...order.message, value: `{"n": ${order.n}}` },
    }));
    const send = (chunk: number) =>
      rig.send(
        topic,
        orders.slice(chunk * CHUNK, (chunk + 1) * CHUNK).map(({ message }) => message),
      );
    const { replicationFactor, minInsyncReplicas } = testReplication();
    const start = () =>
      startRole('relay', {
        HOOKLINE_REPLICATION_FACTOR: String(replicationFactor),
        HOOKLINE_MIN_INSYNC_REPLICAS: String(minInsyncReplicas),
        HOOKLINE_EVENT_PARTITIONS: '3',
        KAFKA_BROKERS: rig.brokers.join(','),
        HOOKLINE_SOURCES: JSON.stringify([source]),
        // Small sends, so that a kill meets one under way.
        HOOKLINE_FLUSH_MAX_RECORDS: '20',
        // A killed member keeps its partitions for this long; the broker allows no less.
        HOOKLINE_SESSION_TIMEOUT: '6s',
        HOOKLINE_REBALANCE_TIMEOUT: '10s',
      });
    let before = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      role = await start();
      await send(kill);
      await rig.until('new events', async () => (await rig.eventsWithRepeats()).length > before);
      await role.kill('SIGKILL');
      before = (await rig.eventsWithRepeats()).length;
    }
    await send(KILLS);
    role = await start();
    await rig.until('every event', async () => (await rig.events()).length >= orders.length);
    await role.stop();
    const all = await rig.events();
    expect(all.map(({ data }) => data).sort()).toEqual(orders.map(({ n }) => `{"n": ${n}}`).sort());
    for (const key of new Set(orders.map((order) => order.key))) {
      const ofKey = all.filter((event) => event.key === key);
      expect([key, ofKey.map(({ data }) => data)]).toEqual([
        key,
        orders.filter((order) => order.key === key).map(({ n }) => `{"n": ${n}}`),
      ]);
    }
  });
});
