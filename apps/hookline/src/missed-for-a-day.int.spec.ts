import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CLOCK_KEY, TOPICS } from '@hookline/contracts';
import { waitUntil, WebhookReceiver } from '@hookline/testing';
import { BrokersTime } from './testing/brokers-time.js';
import { WholeHookline } from './testing/whole-hookline.js';

const DEADLINE_MS = 120_000;
const TEST_MS = 400_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Less than after what a failure counts as over, by default. */
const STEP_HOURS = 5;
const KEYS = 3;
const SUBSCRIPTIONS = '/v1/webhooks/subscriptions';

interface Subscription {
  version: number;
  status: string;
  disabledReason: string | null;
  health: { failingSince: string | null };
}

let time: BrokersTime;
let hookline: WholeHookline;
let published = 0;
/** Of a subscriber to whom everything goes well, whatever becomes of the others. */
let healthy: WebhookReceiver;
let healthyId: string;
let receiver: WebhookReceiver;
/** Of the test: its subscription takes only this. */
let type: string;
/** Those that are of its type. */
let ofType: number;
let path: string;

beforeAll(async () => {
  // The brokers' clocks are never ahead of the database's: that one nobody sets.
  time = BrokersTime.take(-150 * HOUR_MS);
  hookline = await WholeHookline.start({
    HOOKLINE_RETRY_DELAYS: '1s',
    HOOKLINE_BREAKER_OPEN: '1s',
    HOOKLINE_BREAKER_OPEN_MOST: '1s',
    HOOKLINE_FAILING_POLL: '200ms',
    HOOKLINE_FAILING_RECORDER_LAG: '2s',
    HOOKLINE_VIEW_STALE: '3s',
    HOOKLINE_KNOWN_MARGIN: '100ms',
    HOOKLINE_KEEPER_POLL: '100ms',
    HOOKLINE_OUTBOX_POLL: '100ms',
    HOOKLINE_REPLAY_POLL: '100ms',
    HOOKLINE_REPLAY_DECISION_WAIT: '1s',
    HOOKLINE_ADMIN_TIMEOUT: '5s',
    // All of it is one process: a busy machine that holds it up for a while is no reason to send anything again.
    HOOKLINE_SESSION_TIMEOUT: '5m',
    HOOKLINE_REBALANCE_TIMEOUT: '5m',
    // No longer than what the brokers' time leaves alone.
    HOOKLINE_ATTEMPT_TIMEOUT: '1m',
    HOOKLINE_CONNECT_TIMEOUT: '1m',
    HOOKLINE_FIRST_BYTE_TIMEOUT: '1m',
  });
  healthy = await WebhookReceiver.start();
  healthyId = await hookline.subscribe({ url: healthy.url, types: ['*'] });
}, 300_000);

afterAll(async () => {
  await hookline.stop();
  await healthy.close();
  time.giveBack();
}, 120_000);

beforeEach(async () => {
  type = `t${published}.made`;
  ofType = 0;
  receiver = await WebhookReceiver.start();
  const id = await hookline.subscribe({ url: receiver.url, types: [type], ordering: 'key' });
  path = `${SUBSCRIPTIONS}/${id}`;
});
afterEach(() => receiver.close());

/** Two of each key, read by the worker when this resolves. @returns their numbers, which are their data */
async function publish(of = type): Promise<number[]> {
  const numbers = Array.from({ length: 2 * KEYS }, () => published++);
  await hookline.api.publishBatch(numbers.map((n) => ({ type: of, key: keyOf(n), data: { n } })));
  if (of === type) ofType += numbers.length;
  await untilTaken(numbers, healthy);
  return numbers;
}

/** Events of two moments that its endpoint, which is well again after them, does not get. */
async function missMore(): Promise<number[]> {
  const first = await publish();
  time.advance(STEP_HOURS * HOUR_MS);
  const second = await publish();
  await allIsTold();
  receiver.behave({ status: 204 });
  return [...first, ...second];
}

const idOf = (of: string): string => of.slice(SUBSCRIPTIONS.length + 1);
const keyOf = (n: number): string => `k${n % KEYS}`;

/** What an endpoint has taken, in the order in which it first came: what is sent at least once may come again. */
const taken = (by = receiver): number[] => [
  ...new Set(by.accepted.map(({ body }) => (JSON.parse(String(body)) as { n: number }).n)),
];

const until = <T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<Exclude<T, false>>> =>
  waitUntil(condition, { deadlineMs: DEADLINE_MS, what });

const subscription = async (): Promise<Subscription> =>
  (await hookline.api.admin('GET', path)) as unknown as Subscription;

const untilTaken = (numbers: readonly number[], by = receiver): Promise<unknown> =>
  until(`${numbers.length} events at the endpoint`, () => {
    const seen = new Set(taken(by));
    return numbers.every((n) => seen.has(n));
  });

/** Everything that was published so far has come, and nothing else, each key in its order. */
async function expectExactly(numbers: readonly number[]): Promise<void> {
  await untilTaken(numbers);
  // What was in front of it in its partition of a lane, or of the events, has been looked at once this is there.
  const last = await publish();
  await untilTaken(last);
  const all = [...numbers, ...last];
  const byKey = (of: readonly number[]): number[][] =>
    Array.from({ length: KEYS }, (_, key) => of.filter((n) => keyOf(n) === `k${key}`));
  expect(byKey(taken())).toEqual(byKey(all.toSorted((a, b) => a - b)));
}

/** Of a subscription, as history has them. @param since ms since the epoch */
async function attemptsSince(since: number, id = idOf(path)): Promise<unknown[]> {
  const query = `subscriptionId=${id}&startedFrom=${since}&from=${Math.max(0, since - 48 * HOUR_MS)}`;
  return ((await hookline.api.admin('GET', `/v1/attempts?${query}`)) as { items: unknown[] }).items;
}

/** The others go on: that it is this endpoint, and not our way out, is shown by them. */
async function beganToFail(): Promise<string> {
  const since = await until('the failure in the history', async () => (await subscription()).health.failingSince);
  time.advance(2 * MINUTE_MS);
  await othersGoOn(time.now() - MINUTE_MS);
  return since;
}

async function othersGoOn(since: number): Promise<void> {
  await until('their success in the history', async () => {
    // A worker hears what time it is by what it appends: the first attempts after a step are of the time before.
    await publish('nobody.else');
    return (await attemptsSince(since, healthyId)).length > 0;
  });
}

/** Its deliveries, as history has them. */
async function deliveries(query = ''): Promise<unknown[]> {
  const listed = `/v1/deliveries?subscriptionId=${idOf(path)}&from=0&limit=100${query}`;
  return ((await hookline.api.admin('GET', listed)) as { items: unknown[] }).items;
}

/** The worker has heard that it takes nothing: what it was trying is held. What is published now comes behind that. */
async function nothingIsTried(): Promise<void> {
  await until('all that was tried to be held', async () => {
    const tried = await Promise.all(['pending', 'retrying'].map((state) => deliveries(`&state=${state}`)));
    return tried.flat().length === 0;
  });
}

/** History knows of each event of the test whom it is for, and of each of its deliveries: nothing is on its way into a lane. */
async function allIsTold(): Promise<void> {
  await until('all of it in the history', async () => {
    const { items: events } = (await hookline.api.admin('GET', `/v1/events?type=${type}&from=0&limit=100`)) as {
      items: { matched: string[] | null }[];
    };
    const its = events.filter(({ matched }) => matched?.includes(idOf(path)));
    const decided = events.filter(({ matched }) => matched !== null);
    return decided.length === ofType && (await deliveries()).length === its.length;
  });
}

/** What admin-api writes when it wants to know what time it is by the log. */
const askedTheTime = async (): Promise<unknown[]> =>
  (await hookline.read(TOPICS.progress)).filter(({ key }) => String(key) === CLOCK_KEY);

/** Hours pass, in each of which something is attempted, and history gets to know of it. */
async function failFor(hours: number): Promise<void> {
  for (let passed = 0; passed < hours; passed += STEP_HOURS) {
    time.advance(STEP_HOURS * HOUR_MS);
    const since = time.now() - HOUR_MS;
    await othersGoOn(since);
    await until('an attempt of this hour in the history', async () => (await attemptsSince(since)).length > 0);
  }
}

describe('what a subscriber has missed', () => {
  it(
    'for a day of failure, after which it was disabled, comes with one call: exactly that, in order',
    async () => {
      const well = await publish();
      await untilTaken(well);
      // A failure so shortly after a success begins nothing yet.
      await until('all that succeeded in the history', async () => (await attemptsSince(0)).length >= well.length);
      time.advance(2 * MINUTE_MS);
      receiver.behave({ status: 500 });
      const missed = await publish();
      await beganToFail();
      await failFor(10);
      missed.push(...(await publish()));
      await failFor(10);
      expect(await subscription()).toMatchObject({ status: 'enabled' });
      time.advance(STEP_HOURS * HOUR_MS);
      const { version } = await until('it to be disabled', async () => {
        const now = await subscription();
        return now.status === 'disabled' && now;
      });
      expect(await subscription()).toMatchObject({ disabledReason: 'failing' });
      await nothingIsTried();

      missed.push(...(await missMore()));
      expect(taken()).toHaveLength(well.length);
      const body = { status: 'enabled', catchUp: true };
      expect(await hookline.api.admin('PATCH', path, body)).toMatchObject({ status: 'enabled' });
      expect((await subscription()).version).toBeGreaterThan(version);
      await expectExactly([...well, ...missed]);
    },
    TEST_MS,
  );

  it(
    'in a pause comes when it is resumed: exactly that, in order',
    async () => {
      const well = await publish();
      await untilTaken(well);
      // Some wait for their next attempt when it is paused.
      receiver.behave({ status: 503 });
      const missed = await publish();
      await receiver.waitForRequests(well.length + KEYS);
      expect(await hookline.api.admin('POST', `${path}/pause`, {})).toMatchObject({ status: 'paused' });
      await nothingIsTried();
      missed.push(...(await missMore()));
      expect(taken()).toHaveLength(well.length);
      expect(await hookline.api.admin('POST', `${path}/resume`, {})).toMatchObject({ status: 'enabled' });
      await expectExactly([...well, ...missed]);
    },
    TEST_MS,
  );
});

describe('a database outage of a day of log time', () => {
  it(
    'disables nobody, not the one either that history knows to be failing, and holds up no event',
    async () => {
      const { recorder, admin } = hookline.databases;
      receiver.behave({ status: 500 });
      const all = await publish();
      const failingSince = await beganToFail();
      await failFor(20);
      expect(await subscription()).toMatchObject({ status: 'enabled', version: 1 });

      recorder.refuse();
      admin.refuse();
      receiver.behave({ status: 204 });
      await untilTaken(all);
      // By what history knows it has failed for a day by now, and was tried not long ago.
      time.advance(STEP_HOURS * HOUR_MS);
      admin.restore();
      const asked = (await askedTheTime()).length;
      await until('the keeper to look, again and again', async () => (await askedTheTime()).length > asked + 3);
      expect(await subscription()).toMatchObject({ status: 'enabled', version: 1, health: { failingSince } });

      admin.refuse();
      for (let hours = STEP_HOURS; hours < 30; hours += STEP_HOURS) {
        time.advance(STEP_HOURS * HOUR_MS);
        all.push(...(await publish()));
        await untilTaken(all);
      }
      recorder.restore();
      admin.restore();
      await until('history to know of it', async () => (await subscription()).health.failingSince === null);
      expect(await subscription()).toMatchObject({ status: 'enabled', version: 1 });
      await expectExactly(all);
    },
    TEST_MS,
  );
});

describe('a subscriber whose endpoint is well', () => {
  it('got each event through all of that', async () => {
    await until('everything at its endpoint', () => taken(healthy).length === published);
    expect(taken(healthy).toSorted((a, b) => a - b)).toEqual(Array.from({ length: published }, (_, n) => n));
  });
});
