import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TOPICS, type EarlierVersion, type SubscriptionRecord } from '@hookline/contracts';
import { isLive, newId } from '@hookline/domain';
import type { Output, PartitionOffsets } from '@hookline/kafka';
import { beginCatchUps, enqueue, Subscription, toSubscriptionRecord, type Session } from '@hookline/persistence';
import { waitUntil } from '@hookline/testing';
import fc from 'fast-check';
import { readFrom } from '../testing/topics.js';
import { PublisherRig } from './testing/publisher-rig.js';

const DEADLINE_MS = 90_000;
const SUBSCRIPTIONS = 6;

interface Span {
  version: number;
  from: Record<string, number>;
  to: Record<string, number> | null;
}

let rig: PublisherRig;
let ids: string[];
/** A log that grows a little whenever it is looked at. */
let ends: number[];

beforeEach(async () => {
  rig = await PublisherRig.open();
  ids = Array.from({ length: SUBSCRIPTIONS }, () => newId('sub'));
  ends = [5, 7];
  await rig.database.query("INSERT INTO tenants (id, name) VALUES ('ten_1', 'a')");
  for (const id of ids) await add(id);
});
afterEach(() => rig.close());

const events = {
  bounds: async (): Promise<PartitionOffsets[]> =>
    ends.map((_, partition) => ({ partition, low: 0, high: (ends[partition] = (ends[partition] as number) + 1) })),
};

async function add(id: string): Promise<void> {
  const row = {
    id,
    tenantId: 'ten_1',
    url: 'https://example.com/',
    types: ['*'],
    status: 'enabled' as const,
    sealed: 'v1.test.AAAA',
    version: 1,
    description: null,
    deletedAt: null,
    rateLimit: null,
    maxInFlight: null,
    disabledReason: null,
    disabledAt: null,
    catchingUp: null,
  };
  await rig.database.transaction(async (manager) => {
    await manager.insert(Subscription, row);
    const saved = await manager.findOneByOrFail(Subscription, { id });
    await enqueue(manager, TOPICS.subscriptions, toSubscriptionRecord(saved));
  });
}

async function change(id: string, changes: Partial<Subscription>): Promise<Subscription> {
  return rig.database.transaction(async (manager) => {
    const lock = { mode: 'pessimistic_write' as const };
    const old = await manager.findOneOrFail(Subscription, { where: { id }, lock });
    const row = { ...old, ...changes, version: old.version + 1 };
    await manager.update(Subscription, { id }, row);
    await enqueue(manager, TOPICS.subscriptions, toSubscriptionRecord(row));
    return row;
  });
}

async function published(): Promise<Map<string, SubscriptionRecord[]>> {
  await waitUntil(async () => (await rig.left()) === 0, { deadlineMs: DEADLINE_MS, what: 'the outbox to be empty' });
  const found = new Map<string, SubscriptionRecord[]>(ids.map((id) => [id, []]));
  for (const { key, value } of await readFrom(TOPICS.subscriptions, new Map()))
    found.get(String(key))?.push(JSON.parse(String(value)) as SubscriptionRecord);
  return found;
}

async function spansOf(id: string): Promise<Span[]> {
  const rows = await rig.database.query<Span[]>(
    `SELECT version, from_offsets AS "from", to_offsets AS "to" FROM held_spans WHERE subscription_id = $1 ORDER BY id`,
    [id],
  );
  return rows.filter(isNotEmpty);
}

/** One that ends where it begins holds nothing. */
function isNotEmpty({ from, to }: Span): boolean {
  return to === null || Object.keys(from).some((partition) => from[partition] !== to[partition]);
}

/** The spans that these versions make, in their order. */
function expectedSpans(versions: readonly SubscriptionRecord[]): Span[] {
  const spans: Span[] = [];
  for (const record of versions) {
    const { version, holdsFrom, status } = record;
    const open = spans.at(-1)?.to === null ? spans.at(-1) : undefined;
    if (isLive(record) || status === 'deleted') {
      if (open) open.to = holdsFrom;
    } else if (!open) spans.push({ version, from: holdsFrom, to: null });
  }
  return spans.filter(isNotEmpty);
}

type Fate = 'live' | 'die-before' | 'die-after';

const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 120, arbitrary: fc.constant('live' as const) },
  { weight: 1, arbitrary: fc.constant('die-before' as const) },
  { weight: 1, arbitrary: fc.constant('die-after' as const) },
);
/** By the number of the record. */
const CERTAIN = new Map<number, Fate>([
  [8, 'die-after'],
  [25, 'die-before'],
]);

/** Publishers of which each loses its session now and then, before or after it has written a record. */
function startMortals(fates: Iterator<Fate>): () => number {
  let deaths = 0;
  let written = 0;
  for (let n = 0; n < 2; n += 1) {
    let session: Session | undefined;
    const output: Output = {
      produce: async (record) => {
        written += 1;
        const fate = CERTAIN.get(written) ?? (fates.next().value as Fate);
        // What it goes on to write comes from a writer that is none any more.
        const die = async (): Promise<void> => {
          deaths += 1;
          await session?.close();
        };
        if (fate === 'die-before') await die();
        const appended = await rig.pump.produce(record);
        if (fate === 'die-after') await die();
        return appended;
      },
    };
    const open = async (): Promise<Session> => (session = await rig.openSession());
    rig.start({ topics: [TOPICS.subscriptions], output, open, events });
  }
  return () => deaths;
}

const STEPS: Partial<Subscription>[] = [
  { status: 'enabled', heldBack: false },
  { status: 'enabled', heldBack: false, types: ['a.*'] },
  { status: 'enabled', heldBack: false, types: ['*'] },
  { status: 'paused', heldBack: false },
  { status: 'disabled', heldBack: false },
  { status: 'enabled', heldBack: true },
];

describe('held spans', () => {
  it('are those of the versions in the topic, once each, however often their writers die and take over', async () => {
    const step = fc.record({ of: fc.nat(SUBSCRIPTIONS - 1), changes: fc.constantFrom(...STEPS) });
    const [story] = fc.sample(fc.array(step, { minLength: 60, maxLength: 60 }), 1);
    const [fates] = fc.sample(fc.infiniteStream(fate), 1);
    const deaths = startMortals(fates as Iterator<Fate>);
    for (const { of, changes } of story ?? []) await change(ids[of] as string, changes);
    await change(ids[0] as string, { status: 'deleted', deletedAt: new Date() });
    const records = await published();
    expect(deaths()).toBeGreaterThanOrEqual(CERTAIN.size);
    for (const [id, copies] of records) {
      const versions = [...new Map(copies.map((record) => [record.version, record])).values()];
      versions.sort((a, b) => a.version - b.version);
      expect(versions.map(({ version }) => version)).toEqual(versions.map((_, i) => i + 1));
      for (const copy of copies) expect(copy).toEqual(versions[copy.version - 1]);
      expect(await spansOf(id)).toEqual(expectedSpans(versions));
      expectLine(versions);
    }
  });

  /** What the last record says was taken at each offset is what the versions say, as far back as it says anything. */
  function expectLine(versions: readonly SubscriptionRecord[]): void {
    const last = versions.at(-1) as SubscriptionRecord;
    const line: EarlierVersion[] = [{ ...last, live: isLive(last) }, ...(last.before ?? [])];
    const taken = ({ live, types }: Pick<EarlierVersion, 'live' | 'types'>) => (live ? types.join() : '');
    for (const partition of [0, 1]) {
      const holds = ({ holdsFrom }: Pick<EarlierVersion, 'holdsFrom'>) => holdsFrom[String(partition)] as number;
      for (let offset = holds(line.at(-1) as EarlierVersion); offset <= (ends[partition] as number); offset += 1) {
        const truth = versions.findLast((record) => holds(record) <= offset) as SubscriptionRecord;
        const said = line.find((version) => holds(version) <= offset) as EarlierVersion;
        expect(taken(said)).toBe(taken({ live: isLive(truth), types: truth.types }));
      }
    }
  }

  it('of one that was made disabled begin with it, and end where it is enabled; deleting ends them as well', async () => {
    const [first, second] = ids as [string, string];
    for (const id of [first, second]) {
      await rig.database.query(
        "UPDATE subscriptions SET status = 'disabled', disabled_reason = 'owner' WHERE id = $1",
        [id],
      );
      await rig.database.query('UPDATE outbox SET payload = payload || $2 WHERE key = $1', [
        id,
        { status: 'disabled' },
      ]);
    }
    rig.start({ topics: [TOPICS.subscriptions], events });
    await published();
    await change(first, { status: 'enabled' });
    await change(second, { status: 'deleted' });
    const records = await published();
    for (const id of [first, second]) {
      const [disabled, next] = records.get(id) as [SubscriptionRecord, SubscriptionRecord];
      expect(await spansOf(id)).toEqual([{ version: 1, from: disabled.holdsFrom, to: next.holdsFrom }]);
    }
    const rows = await rig.database.query('SELECT reason, ended_as, ended_at FROM held_spans');
    const closed = { reason: 'owner', ended_as: null, ended_at: null };
    expect(rows).toEqual([closed, closed]);
  });

  it('say why, and since when by the change itself', async () => {
    const [paused, gone, full] = ids as [string, string, string];
    await change(paused, { status: 'paused' });
    await change(gone, { status: 'disabled', disabledReason: 'endpoint-gone' });
    await change(full, { heldBack: true });
    await rig.database.query("UPDATE outbox SET created_at = '2020-01-01T00:00:00Z'");
    rig.start({ topics: [TOPICS.subscriptions], events });
    await published();
    const rows = await rig.database.query<{ id: string; reason: string; since: Date }[]>(
      'SELECT subscription_id AS id, reason, since FROM held_spans',
    );
    expect(Object.fromEntries(rows.map(({ id, reason }) => [id, reason]))).toEqual({
      [paused]: 'paused',
      [gone]: 'endpoint-gone',
      [full]: 'backlog',
    });
    for (const { since } of rows) expect(since).toEqual(new Date('2020-01-01T00:00:00Z'));
  });

  it('a catch-up is told where the version that began it holds from, also one that was cancelled before that was written', async () => {
    const [id] = ids as [string];
    rig.start({ topics: [TOPICS.subscriptions], events });
    await change(id, { status: 'paused' });
    await published();
    const { tenantId, version } = await change(id, { status: 'enabled' });
    const its = { kind: 'catch-up', subscriptionId: id, tenantId, version: version + 1 } as const;
    await rig.database.transaction((manager) =>
      beginCatchUps(manager, { replayId: 'rpl_ended', ...its }, { replayId: 'rpl_late', ...its }),
    );
    await rig.database.query("UPDATE replays SET status = 'cancelled', finished_at = now() WHERE id = 'rpl_ended'");
    await change(id, { epoch: 1 });
    const records = await published();
    const rows = await rig.database.query<{ version: number; to_offsets: unknown }[]>(
      'SELECT version, to_offsets FROM replays',
    );
    const placed = { version: 4, to_offsets: records.get(id)?.[3]?.holdsFrom };
    expect(rows).toEqual([placed, placed]);
  });

  it('a record that is written again keeps where it holds from, and what held before it', async () => {
    const [id] = ids as [string];
    rig.start({ topics: [TOPICS.subscriptions], events });
    await change(id, { status: 'paused' });
    await change(id, { status: 'enabled' });
    const [first, , last] = (await published()).get(id) as SubscriptionRecord[];
    expect(last?.before?.map(({ live }) => live)).toEqual([false, true]);
    await rig.pump.produce({ topic: TOPICS.subscriptions, key: id, value: Buffer.from(JSON.stringify(first)) });
    const copies = await waitUntil(
      async () => {
        const found = (await published()).get(id) as SubscriptionRecord[];
        return found.length >= 5 && found;
      },
      { deadlineMs: DEADLINE_MS, what: 'the last version to be written again' },
    );
    const [old, ...again] = copies.slice(3);
    expect(old).toEqual(first);
    for (const copy of again) expect(copy).toEqual(last);
  });
});
