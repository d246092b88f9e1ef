import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uniqueName, waitUntil, WebhookReceiver, type HooklineApi, type RoleProcess } from '@hookline/testing';
import { Fleet, metricOf } from './support/fleet.js';
import { HooklineUnderTest } from './support/hookline.js';
import { KeyedReceiver } from './support/keyed-receiver.js';
import { Load } from './support/load.js';
import { eventIdOf, open, reconcile } from './support/reconcile.js';
import { hasAll, receives, settled } from './support/settled.js';

const WORKERS = 3;
const KEYS = 1_000;
const BATCH = 100;
const ROUNDS = 3;

const IN_FLIGHT = 'hookline_attempts_in_flight';
const BACKLOG = 'hookline_backlog_records';
/** Labels, as `hookline_backlog_records` has them. */
const EVENTS = /topic="hookline\.events"/;
const OLDEST = 'hookline_oldest_undelivered_event_age_seconds';

describe('workers that come and go', () => {
  let hookline: HooklineUnderTest;
  let fleet: Fleet;
  let api: HooklineApi;
  let receiver: WebhookReceiver;
  let load: Load | undefined;

  beforeAll(async () => {
    hookline = await HooklineUnderTest.start({
      HOOKLINE_RETRY_DELAYS: '1s,2s',
      // A worker that is killed or frozen is noticed by its silence: so long a test waits.
      HOOKLINE_SESSION_TIMEOUT: '15s',
      HOOKLINE_REBALANCE_TIMEOUT: '30s',
      // Longer than a test holds answers back: nothing is handed over or tried again meanwhile.
      HOOKLINE_ATTEMPT_TIMEOUT: '15s',
      HOOKLINE_DIRECT_WAIT: '15s',
    });
    fleet = new Fleet(hookline);
  });
  afterAll(() => hookline?.stop());

  beforeEach(async () => {
    api = await hookline.newTenant(uniqueName('tenant'));
    receiver = await WebhookReceiver.start();
    await fleet.growTo(WORKERS);
  });
  afterEach(async () => {
    await load?.stop();
    load = undefined;
    await receiver.close();
  });

  const subscribed = async (): Promise<void> => {
    await api.subscribe({ url: receiver.url, types: ['load.*'] });
    await receives(api, receiver);
  };

  const start = (concurrency = 16): Load => {
    const run = uniqueName('load');
    load = new Load(api, concurrency, (n) => ({ id: `${run}-${n}`, type: 'load.test', data: { n } }));
    return load;
  };

  it('rolling restart of three workers under load: none that stops causes a repeat, none that joins more than was in flight', async () => {
    await subscribed();
    receiver.behave({ delayMs: 60 });
    const running = start();
    const repeats = (): number => reconcile(running.acknowledged.keys(), receiver).repeats;
    await running.more(200);
    for (const worker of [...fleet.workers]) {
      const before = repeats();
      await busy(() => metricOf(worker, IN_FLIGHT));
      expect((await fleet.stop(worker)).code).toBe(0);
      await running.more(120);
      await passed(running, receiver);
      expect(repeats()).toBe(before);

      // Looked at whenever one comes: there is no more at any other time.
      let mostInFlight = open(receiver).length;
      receiver.behave(() => {
        mostInFlight = Math.max(mostInFlight, open(receiver).length);
        return { delayMs: 60 };
      });
      await fleet.growTo(WORKERS);
      await running.more(120);
      receiver.behave({ delayMs: 60 });
      await passed(running, receiver);
      expect(mostInFlight).toBeGreaterThan(0);
      expect(repeats() - before).toBeLessThanOrEqual(mostInFlight);
    }
    const { lost, strange } = await settled(running, receiver);
    expect({ lost, strange }).toEqual({ lost: [], strange: [] });
  });

  it('a worker that is frozen for longer than its session sends nothing for what it has lost when it wakes', async () => {
    await subscribed();
    const running = start();
    await running.more(100);
    await passed(running, receiver);
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    receiver.behave(() => gate.then(() => ({})));
    await running.more(200);
    const worker = await waitUntil(
      async () => {
        for (const each of fleet.workers) {
          const inFlight = await metricOf(each, IN_FLIGHT);
          const held = await metricOf(each, BACKLOG, EVENTS);
          if (inFlight > 0 && held > inFlight + 10) return each;
        }
        return undefined;
      },
      { deadlineMs: 60_000, what: 'a worker with work in flight and more that waits' },
    );
    await worker.kill('SIGSTOP');
    const frozenAt = Date.now();
    const seen = new Set(receiver.requests.map(eventIdOf));
    const atFreeze = new Set(running.acknowledged.keys());
    expect([...atFreeze].filter((id) => !seen.has(id)).length).toBeGreaterThan(10);
    release();
    receiver.behave({ delayMs: 5 });

    // Others take over all that it had, repeat what it had in flight, and only then it wakes.
    await fleet.untilMembers(WORKERS - 1);
    await waitUntil(() => hasAll(receiver, atFreeze), { deadlineMs: 60_000, what: 'what the frozen worker had' });
    const others = fleet.workers.filter((each) => each !== worker);
    await waitUntil(
      async () => {
        const oldest = await Promise.all(others.map((each) => metricOf(each, OLDEST)));
        return Math.max(...oldest) * 1_000 < Date.now() - frozenAt;
      },
      { deadlineMs: 60_000, what: 'nothing of before the freeze' },
    );
    // Also what they put off, which a worker need not have read yet.
    await fleet.untilLanesAreThrough();
    const woken = receiver.requests.length;
    await worker.kill('SIGCONT');
    await running.more(300);
    await worker.untilReady();
    await running.more(300);

    const { lost, strange } = await settled(running, receiver);
    const repeatedByWoken = receiver.requests.slice(woken).map(eventIdOf);
    expect(repeatedByWoken.filter((id) => atFreeze.has(id))).toEqual([]);
    expect({ lost, strange }).toEqual({ lost: [], strange: [] });
  });

  it('keeps the order of 1,000 keys while workers are killed and join', async () => {
    const keyed = new KeyedReceiver(receiver);
    await api.subscribe({ url: receiver.url, types: ['load.*'], ordering: 'key' });
    await receives(api, receiver);
    const run = uniqueName('keyed');
    const ids: string[] = [];
    for (let sequence = 0; sequence < ROUNDS; sequence++) {
      // One of each key; what came before is still on its way.
      for (let from = 0; from < KEYS; from += BATCH) {
        const events = Array.from({ length: BATCH }, (_, n) => ({
          id: `${run}/${from + n}/${sequence}`,
          key: `key-${from + n}`,
          type: 'load.test',
          data: { sequence },
        }));
        await api.publishBatch(events);
        ids.push(...events.map(({ id }) => id));
      }
      const owner = await ownerOf(fleet);
      await busy(() => open(receiver).length);
      if (sequence === ROUNDS - 1) break;
      await fleet.kill(owner);
      if (sequence > 0) await fleet.growTo(WORKERS);
    }
    await waitUntil(() => hasAll(receiver, ids), { deadlineMs: 150_000, what: 'every event' }).catch(() => undefined);
    const { lost, strange } = reconcile(ids, receiver);
    expect({ lost, strange, early: keyed.early }).toEqual({ lost: [], strange: [], early: [] });
    expect(keyed.keys).toBe(KEYS);
    expect(keyed.refused).toBeGreaterThan(100);
  });
});

/** The worker that makes attempts. */
const ownerOf = (fleet: Fleet): Promise<RoleProcess> =>
  waitUntil(
    async () => {
      for (const each of fleet.workers) if ((await metricOf(each, IN_FLIGHT)) > 0) return each;
      return undefined;
    },
    { deadlineMs: 60_000, what: 'a worker with attempts in flight' },
  );

const busy = (count: () => number | Promise<number>): Promise<unknown> =>
  waitUntil(async () => (await count()) > 0, { deadlineMs: 60_000, what: 'work in flight' });

/** Waits until all that is acknowledged by now has been accepted. */
async function passed(load: Load, receiver: WebhookReceiver): Promise<void> {
  const ids = new Set(load.acknowledged.keys());
  await waitUntil(() => hasAll(receiver, ids), { deadlineMs: 90_000, what: 'what was acknowledged at the receiver' });
}
