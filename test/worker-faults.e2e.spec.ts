import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uniqueName, waitUntil, WebhookReceiver, type DeliveryView, type HooklineApi } from '@hookline/testing';
import { committedMs } from './faults/repeats.js';
import { HooklineUnderTest } from './support/hookline.js';
import { Load } from './support/load.js';
import { open } from './support/reconcile.js';
import { receives, settled } from './support/settled.js';

/** As `npm start` makes them. */
const EVENT_PARTITIONS = 6;

interface EventView {
  deliveries: { id: string; state: string }[];
}

describe('a fault in the middle of work', () => {
  let hookline: HooklineUnderTest;
  let api: HooklineApi;
  let receiver: WebhookReceiver;
  let load: Load | undefined;

  beforeAll(async () => {
    hookline = await HooklineUnderTest.start({ HOOKLINE_RETRY_DELAYS: '1s,2s' });
  });
  afterAll(() => hookline?.stop());

  beforeEach(async () => {
    api = await hookline.newTenant(uniqueName('tenant'));
    receiver = await WebhookReceiver.start(() => ({ delayMs: 30 }));
    await api.subscribe({ url: receiver.url, types: ['load.*'] });
    await receives(api, receiver);
  });
  afterEach(async () => {
    await load?.stop();
    load = undefined;
    await receiver.close();
  });

  const start = (concurrency = 16): Load => {
    const run = uniqueName('load');
    load = new Load(api, concurrency, (n) => ({ id: `${run}-${n}`, type: 'load.test', data: { n } }));
    return load;
  };

  /** Stops the load, waits until the receiver has everything, and compares id by id. */
  const settle = async (running: Load): ReturnType<typeof settled> => settled(running, receiver);

  it('the only delivery worker is killed: nothing is lost, and no more is repeated than was in flight or uncommitted', async () => {
    const running = start();
    await running.more(500);
    const worker = hookline.installation.role('delivery').process;
    receiver.behave({ delayMs: 400 });
    await waitUntil(() => open(receiver).length >= 5, { deadlineMs: 60_000, what: 'work in flight' });
    const inFlight = open(receiver).length;
    await worker?.kill();
    const killedAt = Date.now();
    receiver.behave({ delayMs: 30 });
    const uncommittedFrom = killedAt - committedMs(running.slowestMs);
    const uncommitted = receiver.accepted.filter(({ at }) => at > uncommittedFrom).length;

    await running.more(500);
    const { lost, strange, repeats } = await settle(running);
    expect({ lost, strange }).toEqual({ lost: [], strange: [] });
    expect(repeats).toBeLessThanOrEqual(inFlight + uncommitted);
  });

  it('a worker joins and leaves: nothing is lost, no more is repeated than was in flight when it joined', async () => {
    const running = start();
    await running.more(300);
    // Looked at whenever one comes: there is no more at any other time.
    let mostInFlight = open(receiver).length;
    receiver.behave(() => {
      mostInFlight = Math.max(mostInFlight, open(receiver).length);
      return { delayMs: 30 };
    });
    const second = await hookline.another('delivery');
    const joinedAt = Date.now();
    await running.more(300);
    receiver.behave({ delayMs: 30 });
    const leftAt = receiver.requests.length;
    await waitUntil(() => open(receiver).length > 0, { deadlineMs: 60_000, what: 'work in flight' });
    expect((await second.stop()).code).toBe(0);
    await running.more(300);

    const { lost, strange, repeats, repeated } = await settle(running);
    expect({ lost, strange }).toEqual({ lost: [], strange: [] });
    expect(mostInFlight).toBeGreaterThan(0);
    expect(repeats).toBeLessThanOrEqual(mostInFlight);
    // Those of the join were under way before it had ended. A stop that drains repeats nothing.
    const firstCame = (id: string): number =>
      Math.min(...receiver.requests.filter((r) => r.id === id).map((r) => r.at));
    expect([...repeated.keys()].filter((id) => firstCame(id) > joinedAt)).toEqual([]);
    expect(receiver.requests.length).toBeGreaterThan(leftAt);
  });

  it('the recorder and ingest are killed: every event is there once in the history', async () => {
    const running = start(8);
    await running.more(200);
    await hookline.installation.role('recorder').process?.kill();
    await hookline.installation.role('ingest').process?.kill();
    await running.more(400);
    const { lost, strange, repeats } = await settle(running);
    expect({ lost, strange, repeats }).toEqual({ lost: [], strange: [], repeats: 0 });
    for (const id of running.acknowledged.keys()) {
      const event = await waitUntil(
        async () => {
          const view = (await api.admin('GET', `/v1/events/${id}`)) as EventView;
          return view.deliveries[0]?.state === 'delivered' ? view : undefined;
        },
        { deadlineMs: 90_000, what: `${id} in the history` },
      );
      // A repeat of a publish that was not answered is another record of the log, and no other delivery.
      expect(event.deliveries).toHaveLength(1);
      const delivery = (await api.admin('GET', `/v1/deliveries/${event.deliveries[0]?.id}`)) as DeliveryView;
      expect(delivery.attempts).toHaveLength(1);
    }
  });

  it('the leader of events is killed while publishers publish: every acknowledged event is delivered', async () => {
    const { kafka } = hookline.installation;
    const running = start();
    await running.more(500);
    const sent = new Set([...running.acknowledged.values()].map(({ partition }) => partition));
    // Every partition gets its share, so some of what is out at this moment is out to the leader that dies.
    expect(sent.size).toBe(EVENT_PARTITIONS);
    await waitUntil(() => running.outstanding > 0, { deadlineMs: 60_000, what: 'a publish that is out' });
    await kafka?.kill(2);
    await running.more(500, 90_000);
    await kafka?.restart(2);
    await running.more(200);
    const { lost, strange } = await settle(running);
    expect({ lost, strange }).toEqual({ lost: [], strange: [] });
  });
});
