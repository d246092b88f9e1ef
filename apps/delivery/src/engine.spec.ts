import { beforeEach, describe, expect, it } from '@jest/globals';
import type { DeliveryConfig } from '@hookline/config';
import {
  decodeDeliveryHeaders,
  decodeOutcome,
  encodeDeliveryHeaders,
  encodeEndpointWord,
  encodeEventHeaders,
  encodeWideHeaders,
  isUncounted,
  retryDelayOf,
  TOPICS,
  type DeliveryEnvelope,
  type OutcomeRecord,
  type RecordHeaders,
  type SubscriptionRecord,
} from '@hookline/contracts';
import { CompletionTracker } from '@hookline/domain';
import type { SendRequest, SendResult } from '@hookline/http-delivery';
import { LetGo, NotDurable, type Assignment, type LogRecord, type OutgoingRecord, type Output } from '@hookline/kafka';
import { TestClock } from '@hookline/testing';
import { NotOwner } from './delivery.js';
import type { DeliveryEngine } from './engine.js';
import { subscriptionRecord } from './testing/guests.js';
import { testEngine } from './testing/test-engine.js';

const HOUR_MS = 3_600_000;

let clock: TestClock;
let sent: SendRequest[];
let written: OutgoingRecord[];
let answer: (request: SendRequest) => SendResult | Promise<SendResult>;
let refuses: (record: OutgoingRecord) => boolean;
let owner: boolean;
/** What the producer has not sent yet is let go of with it; undefined where it sends at once. */
let frozen: (() => void)[] | undefined;
let revoked: AbortController;
let assignment: Assignment;

beforeEach(() => {
  clock = new TestClock();
  sent = [];
  written = [];
  answer = () => ({ status: 204, durationMs: 1 });
  refuses = () => false;
  owner = true;
  frozen = undefined;
  revoked = new AbortController();
  const tracker = new CompletionTracker(0);
  tracker.begin(7);
  const partsOf: Assignment['partsOf'] = (offset, parts) => tracker.parts(offset, parts);
  assignment = { topic: TOPICS.events, partition: 0, signal: revoked.signal, partsOf, setAside: () => undefined };
});

function engineWith(
  settings: Partial<DeliveryConfig> = {},
  { isOwner }: { isOwner?: () => boolean } = {},
): DeliveryEngine {
  const output: Output = {
    produce: async (record) => {
      if (refuses(record)) throw new NotDurable('refused', 'by the test');
      if (frozen !== undefined) await new Promise<void>((resolve) => frozen?.push(resolve));
      if (record.mayLeave?.() === false) throw new NotDurable('fenced', 'by the test');
      written.push(record);
      return { partition: 0, offset: written.length };
    },
  };
  return testEngine({
    settings: { retryJitterPercent: 0, ...settings },
    client: {
      send: async (request) => {
        sent.push(request);
        return answer(request);
      },
    },
    output,
    clock,
    isOwner: () => owner,
    ...(isOwner === undefined ? {} : { ownsSubscription: isOwner }),
    lanePartitionOf: (id) => id.length % 2,
  });
}

function subscribe(engine: DeliveryEngine, id: string, status: SubscriptionRecord['status'] = 'enabled'): void {
  engine.targets.apply(id, subscriptionRecord({ id, status }));
}

const event = { tenant: 'ten_a', id: 'e1', type: 'order.created', time: '2026-01-01T00:00:00Z' };

const record = (change: Partial<LogRecord> = {}): LogRecord => ({
  assignment,
  topic: TOPICS.events,
  partition: 0,
  offset: 7,
  timestamp: clock.now(),
  key: null,
  value: Buffer.from('{}'),
  headers: encodeEventHeaders(event),
  done: false,
  ...change,
});

const laneRecord = (topic: string, change: Partial<DeliveryEnvelope> = {}): LogRecord =>
  record({
    topic,
    headers: encodeDeliveryHeaders({
      event,
      source: { partition: 0, offset: 7, at: clock.now() },
      subscriptionId: 'sub_a',
      deliveryId: `msg_${'0'.repeat(32)}`,
      attempts: 1,
      windowStart: clock.now(),
      history: [{ number: 1, at: clock.now(), durationMs: 1, status: 500 }],
      ...change,
    }),
  });

const outcomes = (): OutcomeRecord[] =>
  written.filter(({ topic }) => topic === TOPICS.attempts).map(({ value }) => decodeOutcome(value ?? null));
const topicsWritten = (): string[] =>
  written.map(({ topic }) => topic).filter((topic) => topic !== TOPICS.attempts && topic !== TOPICS.progress);

describe('an event', () => {
  it('that is tried again does not repeat what was durable already', async () => {
    const engine = engineWith();
    const ids = Array.from({ length: 64 }, (_, n) => `sub_${n}`);
    for (const id of ids) subscribe(engine, id);
    refuses = ({ topic, value }) => topic === TOPICS.attempts && String(value).includes('"subscriptionId":"sub_13"');
    const once = record();
    await expect(engine.events.handler([once])[0]).rejects.toThrow(NotDurable);
    expect(sent).toHaveLength(64);
    refuses = () => false;
    await engine.events.handler([once])[0];
    expect(sent).toHaveLength(65);
    const matched = written.map(({ value }) => JSON.parse(String(value)) as { matched?: string[] });
    expect(matched.filter((one) => one.matched !== undefined)).toHaveLength(1);
  });

  it('is not sent by a worker that the group has given up, and not handed over either', async () => {
    const engine = engineWith({ endpointConcurrency: 1, endpointQueue: 0 });
    subscribe(engine, 'sub_a');
    owner = false;
    await expect(engine.events.handler([record()])[0]).rejects.toThrow(NotOwner);
    expect([sent, written]).toEqual([[], []]);
  });

  it('leaves no retry when its partition goes while it is attempted', async () => {
    const engine = engineWith();
    subscribe(engine, 'sub_a');
    answer = () => {
      revoked.abort();
      return { status: 500, durationMs: 1 };
    };
    await expect(engine.events.handler([record()])[0]).rejects.toThrow(NotOwner);
    expect(written).toEqual([]);
  });

  it.each([
    ['what has failed', 500, 'stays incomplete', 0],
    ['what has arrived', 204, 'is complete', 1],
  ])(
    'A frozen worker wakes: %s leaves its queue only where that is so for whoever owns it now',
    async (_, status, ends, left) => {
      const engine = engineWith();
      subscribe(engine, 'sub_a');
      answer = () => ({ status, durationMs: 1 });
      frozen = [];
      const [taken] = engine.events.handler([record()]);
      const end = taken?.then(
        () => 'is complete',
        ({ reason }: NotDurable) => (reason === 'fenced' ? 'stays incomplete' : reason),
      );
      await clock.advanceAsync(0);
      owner = false;
      revoked.abort();
      const queued = frozen.length;
      for (const wake of frozen) wake();
      expect(await end).toBe(ends);
      expect([queued, written.length]).toEqual([status === 204 ? 1 : 2, left]);
    },
  );

  it.each([
    ['is put off at once by the owner of a broken endpoint, as if it came from the lane', true, 'hookline.retry.5s'],
    ['goes to the owner at once where another finds the endpoint broken', false, TOPICS.deliveries],
  ])('%s', async (_, isOwner, goesTo) => {
    const engine = engineWith({ breakerFailures: 2 }, { isOwner: () => isOwner });
    subscribe(engine, 'sub_a');
    answer = () => ({ error: 'timeout', durationMs: 1 });
    for (let n = 0; n < 3; n++)
      await engine.events.handler([record({ offset: n, headers: encodeEventHeaders({ ...event, id: `e${n}` }) })])[0];
    expect(sent).toHaveLength(2);
    expect(topicsWritten()).toEqual(['hookline.retry.5s', 'hookline.retry.5s', goesTo]);
  });

  it('is put off at once where the owner says that the endpoint is broken, and sent when it is back', async () => {
    const engine = engineWith({}, { isOwner: () => false });
    subscribe(engine, 'sub_a');
    const told = (isBroken: boolean): void => {
      const { key, ...rest } = encodeEndpointWord({ subscriptionId: 'sub_a', isBroken, word: 'another' });
      engine.words.take({ ...rest, key: Buffer.from(key), timestamp: clock.now() });
    };
    told(true);
    await engine.events.handler([record()])[0];
    expect([sent.length, topicsWritten()]).toEqual([0, ['hookline.retry.5s']]);
    told(false);
    clock.advance(1_000);
    await engine.events.handler([record({ offset: 8, headers: encodeEventHeaders({ ...event, id: 'e2' }) })])[0];
    expect([sent.length, topicsWritten()]).toEqual([1, ['hookline.retry.5s']]);
  });

  it('what is half written when the lease is out waits for it, and is not done again', async () => {
    const engine = engineWith();
    subscribe(engine, 'sub_a');
    answer = () => ({ status: 500, durationMs: 1 });
    frozen = [];
    const [taken] = engine.events.handler([record()]);
    await clock.advanceAsync(0);
    const [lane, outcome] = frozen;
    frozen = undefined;
    lane?.();
    await clock.advanceAsync(0);
    // The group has not heard of this worker for a session timeout, and keeps it.
    owner = false;
    outcome?.();
    await clock.advanceAsync(1_000);
    expect(topicsWritten()).toEqual(['hookline.retry.5s']);
    owner = true;
    await clock.advanceAsync(1_000);
    await taken;
    expect([sent.length, topicsWritten()]).toEqual([1, ['hookline.retry.5s']]);
  });

  it('whoever leaves a broken endpoint to its owner puts off by the schedule, not by what it has met itself', async () => {
    const engine = engineWith({ breakerFailures: 2 }, { isOwner: () => false });
    subscribe(engine, 'sub_a');
    answer = () => ({ status: 500, durationMs: 1 });
    for (let n = 0; n < 2; n++)
      await engine.events.handler([record({ offset: n, headers: encodeEventHeaders({ ...event, id: `e${n}` }) })])[0];
    const { key, ...rest } = encodeEndpointWord({ subscriptionId: 'sub_a', isBroken: true, word: 'another' });
    engine.words.take({ ...rest, key: Buffer.from(key), timestamp: clock.now() });
    clock.advance(1_000);
    await engine.events.handler([record({ offset: 8, headers: encodeEventHeaders({ ...event, id: 'e8' }) })])[0];
    expect(topicsWritten()).toEqual(['hookline.retry.5s', 'hookline.retry.5s', 'hookline.retry.5s']);
  });

  it('put off straight from the log says that its owner has not counted it; what the owner puts off does not', async () => {
    const engine = engineWith({ breakerFailures: 1, breakerOpenMs: HOUR_MS, breakerOpenMostMs: HOUR_MS });
    subscribe(engine, 'sub_a');
    answer = () => ({ status: 500, durationMs: 1 });
    for (let offset = 7; offset < 9; offset++) {
      const headers = encodeEventHeaders({ ...event, id: `e${offset}` });
      await engine.events.handler([record({ offset, headers })])[0];
    }
    await engine.lanes.handler([laneRecord(TOPICS.deliveries)])[0];
    const retries = written.filter(({ topic }) => retryDelayOf(topic) !== undefined);
    expect(retries.map(({ headers = {} }) => isUncounted(headers))).toEqual([true, true, false]);
  });

  it('goes to Kafka in company where nobody waits for it, and at once where its owner may send it', async () => {
    const engine = engineWith(
      { endpointConcurrency: 1, directWaitMs: 0, breakerFailures: 100 },
      { isOwner: () => false },
    );
    engine.targets.apply('sub_a', subscriptionRecord({ id: 'sub_a' }));
    answer = () => ({ status: 500, durationMs: 1 });
    await engine.events.handler([record()])[0];
    answer = () => ({ status: 410, durationMs: 1 });
    await engine.events.handler([record({ offset: 8, headers: encodeEventHeaders({ ...event, id: 'e8' }) })])[0];
    engine.targets.apply('sub_a', subscriptionRecord({ id: 'sub_a', version: 2 }));
    answer = () => new Promise(() => undefined);
    const [, spilled] = engine.events.handler(
      [9, 10].map((offset) => record({ offset, headers: encodeEventHeaders({ ...event, id: `e${offset}` }) })),
    );
    await spilled;
    engine.targets.apply(
      'sub_a',
      subscriptionRecord({ id: 'sub_a', version: 3, rateLimit: { perSecond: 1, burst: 1 } }),
    );
    await engine.events.handler([record({ offset: 11, headers: encodeEventHeaders({ ...event, id: 'e11' }) })])[0];
    const inCompany = written
      .filter(({ topic }) => topic !== TOPICS.attempts)
      .map(({ topic, unhurried }) => [topic, unhurried === true]);
    expect(inCompany).toEqual([
      ['hookline.retry.5s', true],
      [TOPICS.deadLetters, true],
      [TOPICS.deliveries, true],
      [TOPICS.deliveries, false],
    ]);
  });

  it('finds no word about an endpoint whose subscription was deleted: its owner takes it back', async () => {
    const engine = engineWith({ breakerFailures: 1 });
    subscribe(engine, 'sub_a');
    answer = () => ({ status: 500, durationMs: 1 });
    await engine.events.handler([record()])[0];
    expect(engine.words.broken(clock.now())).toBe(1);
    engine.targets.apply('sub_a', subscriptionRecord({ version: 2, status: 'deleted' }));
    expect(engine.words.broken(clock.now())).toBe(0);
    const said = written.filter(({ topic }) => topic === TOPICS.progress);
    expect(said.map(({ value }) => value === null)).toEqual([false, true]);
  });

  it('is of the epoch that its subscription has come to, when it has to wait for the first time', async () => {
    const engine = engineWith({ endpointConcurrency: 1 });
    subscribe(engine, 'sub_a');
    let end = (_: SendResult): void => undefined;
    answer = () => new Promise((resolve) => (end = resolve));
    const take = (offset: number) =>
      engine.events.handler([record({ offset, headers: encodeEventHeaders({ ...event, id: `e${offset}` }) })])[0];
    const [attempted, atTheDoor] = [take(7), take(8)];
    const wide = {
      ...{ event, source: { partition: 0, offset: 6, at: clock.now() }, windowStart: clock.now() },
      subscriptionIds: ['sub_a'],
    };
    const member = engine.lanes.handler([record({ topic: TOPICS.deliveries, headers: encodeWideHeaders(wide) })])[0];
    // It was paused and catches up, while history knows of none of these.
    engine.targets.apply('sub_a', subscriptionRecord({ id: 'sub_a', version: 3, epoch: 1, holdsFrom: { '0': 10 } }));
    answer = () => ({ status: 500, durationMs: 1 });
    end({ status: 500, durationMs: 1 });
    await Promise.all([attempted, atTheDoor, member]);
    expect(sent).toHaveLength(3);
    const retries = written.filter(({ topic }) => topic === 'hookline.retry.5s');
    expect(retries.map(({ headers }) => headers?.['epoch'])).toEqual(['1', '1', '1']);
  });

  it('that a worker far behind reads below a catch-up goes on in the epoch that holds: the catch-up may have been there, and would bring it no more', async () => {
    const engine = engineWith();
    // It was paused and catches up; where the event stands it was live.
    const caughtUp: Partial<SubscriptionRecord> = {
      ...{ version: 3, epoch: 1, epochFrom: { '0': 20 }, holdsFrom: { '0': 20 } },
      before: [
        { version: 2, live: false, types: ['*'], holdsFrom: { '0': 10 } },
        { version: 1, live: true, types: ['*'], holdsFrom: { '0': 0 } },
      ],
    };
    const ways: Partial<SubscriptionRecord>[] = [
      { id: 'sub_limited', rateLimit: { perSecond: 1, burst: 1 } },
      { id: 'sub_ordered', ordering: 'key' },
      { id: 'sub_failing' },
    ];
    for (const way of ways) engine.targets.apply(way.id as string, subscriptionRecord({ ...caughtUp, ...way }));
    answer = () => ({ status: 500, durationMs: 1 });
    await engine.events.handler([record({ headers: encodeEventHeaders({ ...event, key: 'a' }) })])[0];
    const waiting = written
      .filter(({ topic }) => topic === TOPICS.deliveries || retryDelayOf(topic) !== undefined)
      .map(({ headers }) => decodeDeliveryHeaders(headers as RecordHeaders))
      .map((envelope) => [
        envelope.subscriptionId,
        envelope.epoch,
        engine.targets.get(envelope.subscriptionId)?.subscriber.endOf(envelope),
      ]);
    expect(waiting.sort()).toEqual([
      ['sub_failing', 1, undefined],
      ['sub_limited', 1, undefined],
      ['sub_ordered', 1, undefined],
    ]);
  });

  it('that waits at a door is held when its subscription is paused, and says what it matched', async () => {
    const engine = engineWith({ endpointConcurrency: 1 });
    subscribe(engine, 'sub_a');
    let end = (_: SendResult): void => undefined;
    answer = () => new Promise((resolve) => (end = resolve));
    const take = (offset: number) =>
      engine.events.handler([record({ offset, headers: encodeEventHeaders({ ...event, id: `e${offset}` }) })])[0];
    const [first, second, third] = [take(7), take(8), take(9)];
    engine.targets.apply(
      'sub_a',
      subscriptionRecord({ id: 'sub_a', version: 2, status: 'paused', holdsFrom: { '0': 10 } }),
    );
    end({ status: 204, durationMs: 1 });
    await Promise.all([first, second, third]);
    // Read late, from before it was paused; and from after that.
    await take(6);
    await take(10);
    expect([sent.length, topicsWritten()]).toEqual([1, []]);
    const told = outcomes().map(({ eventId, matched, delivery }) => [
      eventId,
      matched,
      delivery?.state,
      delivery?.reason,
    ]);
    expect(told.sort()).toEqual([
      ['e10', [], undefined, undefined],
      ['e6', ['sub_a'], 'held', 'subscription-paused'],
      ['e7', ['sub_a'], 'delivered', undefined],
      ['e8', ['sub_a'], 'held', 'subscription-paused'],
      ['e9', ['sub_a'], 'held', 'subscription-paused'],
    ]);
  });

  it('for an endpoint whose secrets cannot be opened is retried, not sent', async () => {
    const engine = engineWith();
    subscribe(engine, 'sub_a');
    const target = engine.targets.get('sub_a');
    engine.targets.apply('sub_a', { ...(target?.record as NonNullable<typeof target>['record']), sealed: 'v1.no.xx' });
    await engine.events.handler([record()])[0];
    expect(sent).toEqual([]);
    expect(topicsWritten()).toEqual(['hookline.retry.5s']);
  });
});

describe('a record of a lane', () => {
  it('waits for append time and delay, and goes then', async () => {
    const engine = engineWith();
    subscribe(engine, 'sub_a');
    const [promise] = engine.lanes.handler([laneRecord('hookline.retry.1h')]);
    await clock.advanceAsync(HOUR_MS - 1);
    expect(sent).toEqual([]);
    await clock.advanceAsync(1);
    await promise;
    expect(sent).toHaveLength(1);
    clock.advance(2_000);
    expect(clock.pending).toBe(0);
  });

  it('tells history once that it is put off, and again only where it waits for a while', async () => {
    const engine = engineWith({ breakerFailures: 1, breakerOpenMs: HOUR_MS, breakerOpenMostMs: HOUR_MS });
    subscribe(engine, 'sub_a');
    answer = () => ({ status: 500, durationMs: 1 });
    await engine.lanes.handler([laneRecord(TOPICS.deliveries)])[0];
    const put = async (topic: string, change: Partial<DeliveryEnvelope>): Promise<string[]> => {
      written = [];
      const taken: LogRecord = { ...laneRecord(topic, change), assignment: { ...assignment, topic } };
      const [promise] = engine.lanes.handler([taken]);
      await clock.advanceAsync(10_000);
      await promise;
      return written.map((one) => one.topic);
    };
    const windowStart = clock.now() - 24 * HOUR_MS + 75_000;
    expect(await put(TOPICS.deliveries, { windowStart })).toEqual(['hookline.retry.30s', TOPICS.attempts]);
    expect(await put('hookline.retry.5s', { windowStart })).toEqual(['hookline.retry.30s']);
    expect(await put('hookline.retry.5s', {})).toEqual(['hookline.retry.1h', TOPICS.attempts]);
  });

  it('is dead-lettered where its window has passed while it waited', async () => {
    const engine = engineWith({ windowMs: HOUR_MS / 2 });
    subscribe(engine, 'sub_a');
    const [promise] = engine.lanes.handler([laneRecord('hookline.retry.1h')]);
    await clock.advanceAsync(HOUR_MS);
    await promise;
    expect(sent).toEqual([]);
    expect(written[0]).toMatchObject({ topic: TOPICS.deadLetters, headers: { reason: 'expired', attempts: '1' } });
  });

  it('takes the longest tier that is due inside the window, and ends where none is', async () => {
    const engine = engineWith({ windowMs: HOUR_MS });
    subscribe(engine, 'sub_a');
    answer = () => ({ status: 500, durationMs: 1 });
    const windowStart = clock.now() - HOUR_MS + 120_000;
    await engine.lanes.handler([laneRecord(TOPICS.deliveries, { windowStart, attempts: 7 })])[0];
    const lateStart = clock.now() - HOUR_MS + 4_000;
    await engine.lanes.handler([laneRecord(TOPICS.deliveries, { windowStart: lateStart, attempts: 7 })])[0];
    expect(topicsWritten()).toEqual(['hookline.retry.30s', TOPICS.deadLetters]);
    expect(written.at(-2)?.headers).toMatchObject({ attempts: '8' });
  });

  it('ends as a dead letter where its subscription is deleted', async () => {
    const engine = engineWith();
    subscribe(engine, 'sub_a', 'deleted');
    await engine.lanes.handler([laneRecord(TOPICS.deliveries)])[0];
    expect(written[0]?.headers).toMatchObject({ reason: 'subscription-deleted' });
    expect(sent).toEqual([]);
  });

  it.each(['paused', 'disabled'] as const)(
    'is held where its subscription is %s, also in a wide record',
    async (status) => {
      const engine = engineWith({ windowMs: HOUR_MS });
      subscribe(engine, 'sub_a', status);
      const wide = {
        ...{ event, source: { partition: 0, offset: 7, at: clock.now() }, windowStart: clock.now() },
        subscriptionIds: ['sub_a'],
      };
      await engine.lanes.handler([record({ topic: TOPICS.deliveries, headers: encodeWideHeaders(wide) })])[0];
      // Also what would be expired.
      clock.advance(2 * HOUR_MS);
      await engine.lanes.handler([laneRecord(TOPICS.deliveries, { windowStart: clock.now() - 2 * HOUR_MS })])[0];
      expect([sent, topicsWritten()]).toEqual([[], []]);
      const held = ['held', `subscription-${status}`];
      expect(outcomes().map(({ delivery }) => [delivery?.state, delivery?.reason])).toEqual([held, held]);
    },
  );

  it('of an older epoch than its subscription has ends without a word, wherever it waits; what a replay asked for does not', async () => {
    const engine = engineWith({ endpointConcurrency: 1, attemptTimeoutMs: HOUR_MS });
    subscribe(engine, 'sub_a');
    let end = (_: SendResult): void => undefined;
    answer = () => new Promise((resolve) => (end = resolve));
    const take = (topic: string, change: Partial<DeliveryEnvelope> = {}) =>
      engine.lanes.handler([laneRecord(topic, change)])[0];
    const [attempted, atTheDoor, inTier] = [
      take(TOPICS.deliveries),
      take(TOPICS.deliveries),
      take('hookline.retry.1h'),
    ];
    engine.targets.apply('sub_a', subscriptionRecord({ id: 'sub_a', version: 2, epoch: 1 }));
    answer = () => ({ status: 204, durationMs: 1 });
    end({ status: 204, durationMs: 1 });
    await Promise.all([attempted, atTheDoor]);
    await clock.advanceAsync(HOUR_MS);
    await inTier;
    expect([sent.length, topicsWritten()]).toEqual([1, []]);
    expect(outcomes().map(({ delivery }) => delivery?.state)).toEqual(['delivered']);
    await take(TOPICS.deliveries, { epoch: 1 });
    await take(TOPICS.replays, { replayId: 'rpl_a' });
    expect(sent).toHaveLength(3);
  });

  it('waits for a subscription that the view does not know yet', async () => {
    const engine = engineWith();
    await engine.lanes.handler([laneRecord(TOPICS.replays)])[0];
    expect(topicsWritten()).toEqual(['hookline.retry.5s']);
  });

  it('of a replay whose owner lags behind waits until it knows the version that was replayed to, and is not held by an older one', async () => {
    const engine = engineWith();
    subscribe(engine, 'sub_a', 'paused');
    const replayed = { replayId: 'rpl_a', version: 2, attempts: 0, history: [] };
    await engine.lanes.handler([laneRecord(TOPICS.replays, replayed)])[0];
    expect([topicsWritten(), sent]).toEqual([['hookline.retry.5s'], []]);
    expect(outcomes().map(({ delivery }) => delivery?.state)).not.toContain('held');
    const deferred = decodeDeliveryHeaders(
      written.find(({ topic }) => topic === 'hookline.retry.5s')?.headers as RecordHeaders,
    );
    expect(deferred).toMatchObject(replayed);
    engine.targets.apply('sub_a', subscriptionRecord({ id: 'sub_a', version: 2 }));
    await engine.lanes.handler([laneRecord(TOPICS.deliveries, deferred)])[0];
    expect(sent).toHaveLength(1);
    // Whatever it has become since counts.
    engine.targets.apply('sub_a', subscriptionRecord({ id: 'sub_a', version: 3, status: 'paused' }));
    await engine.lanes.handler([laneRecord(TOPICS.replays, replayed)])[0];
    expect(outcomes().at(-1)?.delivery).toMatchObject({ state: 'held', reason: 'subscription-paused' });
  });

  it('that was matched late goes round for no gone endpoint: its owner holds it', async () => {
    const engine = engineWith();
    subscribe(engine, 'sub_a');
    answer = () => ({ status: 410, durationMs: 1 });
    const gone = { version: 1, attempts: 0, history: [] };
    await engine.lanes.handler([laneRecord(TOPICS.deliveries, gone)])[0];
    engine.targets.apply(
      'sub_a',
      subscriptionRecord({ id: 'sub_a', version: 2, status: 'disabled', holdsFrom: { '0': 0 } }),
    );
    await engine.lanes.handler([laneRecord(TOPICS.deliveries, gone)])[0];
    expect(sent).toHaveLength(1);
    expect(outcomes().at(-1)?.delivery).toMatchObject({ state: 'held', reason: 'subscription-disabled' });
  });

  it('of a backfill waits in its lane where live work takes the room, and is let go of on a stop', async () => {
    const engine = engineWith({ endpointConcurrency: 1, attemptTimeoutMs: HOUR_MS });
    subscribe(engine, 'sub_a');
    let end = (_: SendResult): void => undefined;
    answer = () => new Promise((resolve) => (end = resolve));
    const [live] = engine.lanes.handler([laneRecord(TOPICS.deliveries)]);
    const [first, second] = [TOPICS.replays, TOPICS.replays].map((topic) =>
      engine.lanes.handler([laneRecord(topic, { replayId: 'rpl_a' })]),
    );
    const [retry] = engine.lanes.handler([
      laneRecord('hookline.retry.5s', { replayId: 'rpl_a', windowStart: clock.now() }),
    ]);
    await clock.advanceAsync(30_000);
    // Its own lane may wait for it. A lane of retries may not: others are in it.
    await retry;
    expect(topicsWritten()).toEqual(['hookline.retry.5s']);
    end({ status: 204, durationMs: 1 });
    await live;
    await clock.advanceAsync(0);
    expect(sent).toHaveLength(2);
    engine.lanes.close();
    await expect(second?.[0]).rejects.toThrow(LetGo);
    end({ status: 204, durationMs: 1 });
    await first?.[0];
    expect(engine.rooms.inFlight).toBe(0);
  });

  it('is let go of on a stop and on a takeover, if it waits', async () => {
    const engine = engineWith();
    subscribe(engine, 'sub_a');
    const [first] = engine.lanes.handler([laneRecord('hookline.retry.1h')]);
    engine.lanes.revoked(assignment);
    await expect(first).rejects.toThrow(LetGo);
    engine.lanes.close();
    await expect(engine.lanes.handler([laneRecord('hookline.retry.1h')])[0]).rejects.toThrow(LetGo);
    expect(clock.pending).toBe(0);
  });
});
