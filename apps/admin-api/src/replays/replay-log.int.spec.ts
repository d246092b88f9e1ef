import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeDeliveryHeaders, encodeEventHeaders, TOPICS, type LogPosition } from '@hookline/contracts';
import { deliveryIdOf, newId } from '@hookline/domain';
import { EmbeddedKafka } from '@hookline/embedded';
import type { Output } from '@hookline/kafka';
import { ProblemError, systemClock } from '@hookline/platform';
import { distinct } from '@hookline/testing';
import type { Admin, Producer } from 'kafkajs';
import type { Caller } from '../auth/caller.js';
import { replayHistory } from '../replay-machinery.js';
import { ReplayRig } from '../testing/replay-rig.js';
import { readFrom, testKafka, testProducer } from '../testing/topics.js';
import type { CreateReplay } from './replays.schemas.js';
import { ReplaysService } from './replays.service.js';

const MANY = 100_000;
/** One of so many is asked for. */
const EVERY = 20;
const BATCH = 2_000;
const PARTITIONS = 3;
const TEST_MS = 300_000;

interface Event extends LogPosition {
  id: string;
  type: string;
  tenant: string;
}

/** On a log of its own: this one is long, and records of it are deleted. */
describe('a replay of a long log', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hookline-replay-log-'));
  const tenant = newId('ten');
  const caller: Caller = { kind: 'tenant', tenantId: tenant, keyId: newId('key') };
  let cluster: EmbeddedKafka;
  let rig: ReplayRig;
  let producer: Producer;
  let admin: Admin;
  let service: ReplaysService;
  /** Those of the tenant that are asked for. */
  let asked: Event[];

  beforeAll(async () => {
    cluster = await EmbeddedKafka.start({ dataDir, brokers: 1 });
    process.env['HOOKLINE_TEST_BROKERS'] = cluster.brokers.join();
    rig = await ReplayRig.start();
    producer = await testProducer();
    admin = testKafka().admin();
    await admin.connect();
    service = new ReplaysService(rig.database, rig.log, replayHistory(rig.database), systemClock, 10);
    await rig.database.query(`INSERT INTO tenants (id, name) VALUES ($1, 'a')`, [tenant]);
    asked = (await publishMany()).filter((event) => event.tenant === tenant && event.type === 'order.created');
    await decided(asked);
  }, TEST_MS);
  afterAll(async () => {
    await Promise.all([producer.disconnect(), admin.disconnect()]);
    await rig.stop();
    await cluster.stop('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** Half of them of another tenant, and some of other types. */
  async function publishMany(): Promise<Event[]> {
    const events: Event[] = [];
    const others = newId('ten');
    for (let first = 0; first < MANY; first += BATCH) {
      const partition = (first / BATCH) % PARTITIONS;
      const made = Array.from({ length: BATCH }, (_, i) => ({
        id: newId('evt'),
        type: i % EVERY === 1 ? 'order.created' : i % 3 ? 'order' : 'user.created',
        tenant: i % 2 ? tenant : others,
      }));
      const messages = made.map((event) => ({
        partition,
        value: '{"n":1}',
        headers: encodeEventHeaders({ ...event, time: '2026-01-01T00:00:00Z' }),
      }));
      const [answer] = await producer.send({ topic: TOPICS.events, acks: -1, messages });
      const [offset, at] = [Number(answer?.baseOffset), Number(answer?.logAppendTime)];
      events.push(...made.map((event, i) => ({ ...event, partition, offset: offset + i, at })));
    }
    return events;
  }

  /** As if the workers had looked at these, and the recorder had written that: nobody waits for it. */
  async function decided(events: readonly Event[]): Promise<void> {
    await rig.decide(events.slice(0, 1), []);
    await rig.database.query(
      `INSERT INTO event_routes (partition, "offset", appended_at, matched)
       SELECT p, o, at, '{}' FROM unnest($1::int4[], $2::int8[], $3::timestamptz[]) AS e(p, o, at) ON CONFLICT DO NOTHING`,
      [
        events.map(({ partition }) => partition),
        events.map(({ offset }) => offset),
        events.map(({ at }) => new Date(at)),
      ],
    );
  }

  const ask = (request: Partial<CreateReplay> & Pick<CreateReplay, 'from'>): Promise<{ id: string }> =>
    service.create(caller, {
      topic: TOPICS.events,
      subscriptions: 'matching',
      outcome: 'all',
      dryRun: false,
      ...request,
    });

  const status = async (id: string): Promise<string> => (await service.get(caller, id)).status;

  const through = (id: string): Promise<unknown> =>
    rig.until('the replay to be complete', async () => (await status(id)) === 'completed');

  /** The deliveries that a replay has put into its lane, each once. */
  async function arrived(replayId: string): Promise<string[]> {
    const ids = (await readFrom(TOPICS.replays, new Map()))
      .map(({ headers }) => decodeDeliveryHeaders(headers))
      .filter((delivery) => delivery.replayId === replayId)
      .map(({ deliveryId }) => deliveryId);
    return distinct(ids, String).sort();
  }

  const deliveries = (events: readonly Event[], subscription: string): string[] =>
    events.map((event) => deliveryIdOf(event, event, subscription)).sort();

  const everything = Object.fromEntries(Array.from({ length: PARTITIONS }, (_, partition) => [partition, 0]));

  it(
    'of 100,000 events with a filter brings exactly those that are asked for, each once, to one made after all of them',
    async () => {
      const { id: subscription } = await rig.subscribe(['*'], tenant);
      const machinery = rig.run();
      const { id } = await ask({
        from: { offsets: everything },
        types: ['order.*'],
        subscriptionIds: [subscription],
      });
      await through(id);
      expect(asked).toHaveLength(MANY / EVERY);
      expect(await arrived(id)).toEqual(deliveries(asked, subscription));
      expect(await service.get(caller, id)).toMatchObject({
        scanned: MANY,
        matched: asked.length,
        sent: asked.length,
        error: null,
      });
      await machinery.stop();
    },
    TEST_MS,
  );

  it(
    'whose first records are deleted says so before, and while it runs ends with what is left and says what is gone',
    async () => {
      const { id: subscription } = await rig.subscribe(['*'], tenant);
      let begun: () => void = () => undefined;
      let goOn: () => void = () => undefined;
      const hasBegun = new Promise<void>((resolve) => (begun = resolve));
      const mayGoOn = new Promise<void>((resolve) => (goOn = resolve));
      const slow: Output = {
        produce: async (record) => {
          begun();
          await mayGoOn;
          return rig.pump.produce(record);
        },
      };
      const machinery = rig.run(slow);
      const { id } = await ask({
        from: { offsets: everything },
        types: ['order.*'],
        subscriptionIds: [subscription],
      });
      await hasBegun;
      // It has read no further than a fetch of each partition.
      const low = 15_000;
      // kafkajs asks nobody who leads the partition, and knows only topics that were met before.
      await admin.fetchTopicOffsets(TOPICS.events);
      await admin.deleteTopicRecords({ topic: TOPICS.events, partitions: [{ partition: 0, offset: String(low) }] });
      goOn();
      await through(id);
      await machinery.stop();

      const done = await service.get(caller, id);
      const [gone, ...others] = done.gone ?? [];
      expect(others).toEqual([]);
      expect(gone).toMatchObject({ partition: 0, to: low });
      const from = gone?.from ?? 0;
      expect(from).toBeLessThan(low);
      expect(done.error).toContain(`${low - from} offsets were deleted`);
      const left = asked.filter(({ partition, offset }) => partition !== 0 || offset < from || offset >= low);
      expect(await arrived(id)).toEqual(deliveries(left, subscription));

      const refused = await ask({ from: { offsets: { 0: 0 } } }).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(ProblemError);
      expect((refused as ProblemError).problem).toMatchObject({
        status: 400,
        errors: [{ field: 'from.offsets.0', limit: low, message: expect.stringContaining(`it has ${low} to`) }],
      });
    },
    TEST_MS,
  );
});
