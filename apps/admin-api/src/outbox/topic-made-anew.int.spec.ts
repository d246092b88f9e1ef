import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { GENESIS_KEY, TOPICS, type SubscriptionRecord } from '@hookline/contracts';
import { newId } from '@hookline/domain';
import type { Output } from '@hookline/kafka';
import {
  enqueue,
  PUBLISHED_COLUMNS,
  rememberCluster,
  type Subscription,
  toSubscriptionRecord,
} from '@hookline/persistence';
import { waitUntil } from '@hookline/testing';
import { PublisherRig } from './testing/publisher-rig.js';

const PATIENCE_MS = 90_000;

describe('hookline.subscriptions made anew, while events wait that nobody has read', () => {
  let rig: PublisherRig;
  beforeAll(async () => {
    rig = await PublisherRig.open();
  });
  afterEach(() => rig.stopPublishers());
  afterAll(() => rig.close());

  async function row(version: number): Promise<string> {
    const [tenantId, id] = [newId('ten'), newId('sub')];
    await rig.database.query('INSERT INTO tenants (id, name) VALUES ($1, $2)', [tenantId, 'a']);
    await rig.database.query(
      `INSERT INTO subscriptions (id, tenant_id, url, types, status, sealed, version, epoch)
       VALUES ($1, $2, 'https://example.com/', '{*}', 'enabled', '', $3, 0)`,
      [id, tenantId, version],
    );
    return id;
  }

  /** A change of it, on its way. */
  async function change(id: string, to: Partial<Subscription> = {}): Promise<void> {
    const [found] = await rig.database.run(async (manager) =>
      manager.query<Subscription[]>(`SELECT ${PUBLISHED_COLUMNS} FROM subscriptions s WHERE s.id = $1`, [id]),
    );
    const changed = { ...(found as Subscription), ...to };
    await rig.database.transaction(async (manager) => {
      await manager.query('UPDATE subscriptions SET version = $2, status = $3 WHERE id = $1', [
        id,
        changed.version,
        changed.status,
      ]);
      await enqueue(manager, TOPICS.subscriptions, toSubscriptionRecord(changed));
    });
  }

  const eventsAt = (low: number, high: number) => ({ bounds: async () => [{ partition: 0, low, high }] });

  /** Runs a publisher until everything is written and the outbox is empty; @returns what it wrote, in order */
  async function written(
    events: ReturnType<typeof eventsAt>,
    { emptied, until }: { emptied: boolean; until: (keys: string[]) => boolean },
  ): Promise<{ key: string; record: SubscriptionRecord }[]> {
    const all: { key: string; record: SubscriptionRecord }[] = [];
    const output: Output = {
      produce: async ({ key, value }) => {
        all.push({ key: String(key), record: JSON.parse(String(value)) as SubscriptionRecord });
        return { topic: '', partition: 0, offset: 0, timestamp: 0 } as never;
      },
    };
    const publisher = rig.start({ topics: [TOPICS.subscriptions], output, events, emptied });
    await waitUntil(async () => until(all.map(({ key }) => key)) && (await rig.left()) === 0, {
      deadlineMs: PATIENCE_MS,
      what: 'all to be written',
    });
    await publisher.stop();
    return all;
  }

  const anew = { emptied: true, until: (keys: string[]) => keys.includes(GENESIS_KEY) };
  const of = (all: readonly { key: string; record: SubscriptionRecord }[], id: string): SubscriptionRecord[] =>
    all.filter(({ key }) => key === id).map(({ record }) => record);

  it('says the same as before of what nobody has read yet, and is begun when all of it is there', async () => {
    const [id, paused] = [await row(1), await row(1)];
    await change(id);
    await change(paused);
    await written(eventsAt(0, 40), { ...anew, emptied: false, until: (keys) => keys.includes(paused) });
    await change(paused, { version: 2, status: 'paused' });
    const last = await written(eventsAt(0, 60), { ...anew, emptied: false, until: (keys) => keys.includes(paused) });
    const before = of(last, paused).at(-1);
    expect(before).toMatchObject({ holdsFrom: { '0': 60 }, before: [{ version: 1, holdsFrom: { '0': 40 } }] });

    const all = await written(eventsAt(10, 100), anew);
    expect(of(all, id)).toMatchObject([{ version: 1, holdsFrom: { '0': 40 } }]);
    expect(of(all, paused)).toEqual([before]);
    expect(all.at(-1)?.key).toBe(GENESIS_KEY);
  });

  it('knows what held before a change that is on its way just then', async () => {
    const id = await row(1);
    await change(id);
    await written(eventsAt(0, 40), { ...anew, emptied: false, until: (keys) => keys.includes(id) });
    await change(id, { version: 2, status: 'paused' });
    const all = await written(eventsAt(0, 70), anew);
    // Written as a change, and once more as a row that the topic seems to lack.
    for (const record of of(all, id))
      expect(record).toMatchObject({
        version: 2,
        holdsFrom: { '0': 70 },
        before: [{ version: 1, live: true, holdsFrom: { '0': 40 } }],
      });
    expect(of(all, id)).not.toEqual([]);
  });

  it('takes from the topic, while that is there, what the database does not know, as after a rebuild', async () => {
    const id = await row(1);
    await change(id);
    const publisher = rig.start({ topics: [TOPICS.subscriptions], events: eventsAt(0, 40) });
    await waitUntil(async () => (await rig.left()) === 0, { deadlineMs: PATIENCE_MS, what: 'the version' });
    await publisher.stop();
    await rig.database.query('DELETE FROM subscription_stamps');
    rig.start({ topics: [TOPICS.subscriptions], events: eventsAt(0, 50) });
    await waitUntil(
      async () =>
        (await rig.database.query<object[]>('SELECT 1 FROM subscription_stamps WHERE subscription_id = $1', [id]))
          .length === 1,
      { deadlineMs: PATIENCE_MS, what: 'the stamps to be kept' },
    );
    await rig.stopPublishers();
    expect(of(await written(eventsAt(0, 90), anew), id)).toMatchObject([{ holdsFrom: { '0': 40 } }]);
  });

  it('holds from the start of the log where nobody knows better: of a log, or a cluster, that was made anew, too', async () => {
    const ofLongerLog = await row(1);
    await change(ofLongerLog);
    await written(eventsAt(0, 1_000), { ...anew, emptied: false, until: (keys) => keys.includes(ofLongerLog) });
    const unknown = await row(1);
    const first = await written(eventsAt(5, 90), anew);
    expect(of(first, unknown)).toMatchObject([{ holdsFrom: { '0': 5 } }]);
    expect(of(first, ofLongerLog)).toMatchObject([{ holdsFrom: { '0': 5 } }]);

    const known = await row(1);
    await change(known);
    await written(eventsAt(0, 40), { ...anew, emptied: false, until: (keys) => keys.includes(known) });
    await rememberCluster(rig.database, 'cluster-1');
    await rememberCluster(rig.database, 'cluster-1');
    expect(of(await written(eventsAt(3, 90), anew), known)).toMatchObject([{ holdsFrom: { '0': 40 } }]);
    await rememberCluster(rig.database, 'cluster-2');
    expect(of(await written(eventsAt(3, 90), anew), known)).toMatchObject([{ holdsFrom: { '0': 3 } }]);
  });
});
