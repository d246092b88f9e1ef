import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeDeliveryHeaders, TOPICS } from '@hookline/contracts';
import { failFirstOfEach, WebhookReceiver } from '@hookline/testing';
import { DeliveryRig } from '../testing/delivery-rig.js';

/** For a thousand events one by one on a machine that has other things to do, ms. */
const PATIENCE_MS = 300_000;
/** The next owner waits for so long, and for as long as an attempt takes; whoever stands still for less keeps its lanes. */
const SESSION_MS = 15_000;

let rig: DeliveryRig;
let receiver: WebhookReceiver;

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
});

afterEach(async () => {
  await rig.close();
  await receiver.close();
});

/** Events are named `key.number`; those of a key are published in the order of their numbers. */
const eventOf = ({ headers }: { headers: Readonly<Record<string, string>> }): [string, number] => {
  const [key, number] = (headers['hookline-event-id'] as string).split('.');
  return [key as string, Number(number)];
};

const publish = async (keys: number, each: number, partition?: number): Promise<void> => {
  for (let number = 0; number < each; number++)
    await Promise.all(
      Array.from({ length: keys }, (_, key) =>
        rig.publish({ id: `k${key}.${number}`, key: `k${key}`, partition: partition ?? key % 3 }),
      ),
    );
};

/** What was sent of a key while one before it had not been accepted. */
function overtakings(): string[] {
  const next = new Map<string, number>();
  return receiver.requests.flatMap((request) => {
    const [key, number] = eventOf(request);
    const expected = next.get(key) ?? 0;
    if (request.status !== undefined && request.status < 300 && number === expected) next.set(key, expected + 1);
    return number > expected ? [`${key}.${number} was sent before ${key}.${expected}`] : [];
  });
}

describe('Order through tiers', () => {
  it('is kept for each key over failures at random, a worker that is killed and one that takes over', async () => {
    rig = await DeliveryRig.open({ retryDelaysMs: [300, 900], directWaitMs: 200, attemptTimeoutMs: 5_000 }, SESSION_MS);
    const [keys, each] = [200, 5];
    let random = 7;
    receiver.behave(() => {
      random = (random * 48_271) % 2_147_483_647;
      return random % 5 === 0 ? { status: 500 } : { delayMs: random % 30 };
    });
    await rig.subscribe({ url: receiver.url, ordering: 'key', maxInFlight: 64 });
    const doomed = await rig.worker();
    await publish(keys, each);
    await receiver.waitForIds((keys * each) / 5, PATIENCE_MS);
    doomed.die();
    await rig.worker();
    await receiver.waitForIds(keys * each, PATIENCE_MS);
    expect(overtakings()).toEqual([]);
    expect(receiver.acceptedIds().size).toBe(keys * each);
    const outcomes = await rig.outcomesWhere(keys * each, ({ delivery }) => delivery?.state === 'delivered');
    expect(new Set(outcomes.map(({ eventId }) => eventId)).size).toBe(keys * each);
  }, 900_000);

  it('a follower moves behind its head through two tiers', async () => {
    rig = await DeliveryRig.open({ retryDelaysMs: [300, 1_500, 2_500], retryJitterPercent: 0, directWaitMs: 100 });
    const answer = failFirstOfEach(3);
    receiver.behave((request) => (eventOf(request)[1] === 0 ? answer(request) : {}));
    await rig.subscribe({ url: receiver.url, ordering: 'key' });
    await rig.worker();
    await publish(1, 3);
    await receiver.waitForIds(3);
    expect(overtakings()).toEqual([]);
    expect(receiver.attempts.map((request) => eventOf(request)[1])).toEqual([0, 0, 0, 0, 1, 2]);
    for (const lane of ['hookline.retry.1500ms', 'hookline.retry.2500ms']) {
      const followers = (await rig.read(lane)).map(({ headers }) => decodeDeliveryHeaders(headers));
      expect(followers.filter(({ attempts }) => attempts === 0).map(({ event }) => event.id)).toEqual(
        expect.arrayContaining(['k0.1', 'k0.2']),
      );
    }
  });

  it('a hand-over that is tried again does not overtake', async () => {
    rig = await DeliveryRig.open();
    await rig.subscribe({ url: receiver.url, ordering: 'key' });
    const refused = new Set<string>();
    // Every third, when it comes for the first time.
    rig.refuses = ({ topic, headers = {} }) => {
      if (topic !== TOPICS.deliveries) return false;
      const { id } = decodeDeliveryHeaders(headers).event;
      if (refused.has(id) || Number(id.split('.')[1]) % 3 !== 0) return false;
      refused.add(id);
      return true;
    };
    await rig.worker();
    await publish(5, 12);
    await receiver.waitForIds(60);
    expect(refused.size).toBe(20);
    expect(overtakings()).toEqual([]);
    expect(receiver.requests.length).toBe(60);
    const written = (await rig.read(TOPICS.deliveries)).map(({ headers }) => decodeDeliveryHeaders(headers).event.id);
    for (let key = 0; key < 5; key++)
      expect(written.filter((id) => id.startsWith(`k${key}.`))).toEqual(
        Array.from({ length: 12 }, (_, number) => `k${key}.${number}`),
      );
  });

  it('a copy of a hand-over is dropped, before its event is through and after, also by the next owner', async () => {
    rig = await DeliveryRig.open({ retryDelaysMs: [1_000], attemptTimeoutMs: 2_000 }, SESSION_MS);
    receiver.behave(failFirstOfEach(1));
    await rig.subscribe({ url: receiver.url, ordering: 'key' });
    const first = await rig.worker();
    await publish(1, 1);
    await receiver.waitForRequests(1);
    const [handedOver] = await rig.read(TOPICS.deliveries);
    const copy = async (): Promise<void> => {
      const { key, value, headers } = handedOver as NonNullable<typeof handedOver>;
      const texts = Object.entries(headers).map(([name, text]) => [name, String(text)]);
      await rig.write(TOPICS.deliveries, String(key), value as Buffer, Object.fromEntries(texts));
    };
    await copy();
    await receiver.waitForIds(1);
    await copy();
    await rig.publish({ id: 'k0.1', key: 'k0', partition: 0 });
    await receiver.waitForIds(2);
    await first.stop();
    await copy();
    await rig.publish({ id: 'k0.2', key: 'k0', partition: 0 });
    await rig.worker();
    await receiver.waitForIds(3);
    await rig.until('all records to be complete', async () => (await rig.backlog(TOPICS.deliveries)) === 0);
    // A copy that is not dropped begins at the first attempt again; one that took too long goes on with the next.
    const firsts = receiver.requests.filter(({ headers }) => headers['hookline-attempt'] === '1');
    expect(firsts.map(({ headers }) => headers['hookline-event-id'])).toEqual(['k0.0', 'k0.1', 'k0.2']);
  });

  it('the next owner sends nothing of a key while its first lies in a tier, unread', async () => {
    rig = await DeliveryRig.open(
      {
        retryDelaysMs: [6_000],
        retryJitterPercent: 0,
        directWaitMs: 100,
        attemptTimeoutMs: 1_000,
        // One fetch of a lane is held at a time; the first of the key stands behind several.
        laneHeldBytes: 1,
      },
      SESSION_MS,
    );
    receiver.behave({ status: 500 });
    await rig.subscribe({ url: receiver.url, ordering: 'key' });
    const first = await rig.worker();
    const data = JSON.stringify('x'.repeat(400_000));
    for (let key = 9; key >= 0; key--) {
      await rig.publish({ id: `k${key}.0`, key: `k${key}`, partition: 0, ...(key === 0 ? {} : { data }) });
      await rig.outcomesWhere(10 - key, ({ delivery }) => delivery?.state === 'retrying');
    }
    await first.stop();
    receiver.behave({});
    await rig.publish({ id: 'k0.1', key: 'k0', partition: 0 });
    await rig.worker();
    await receiver.waitForIds(11);
    expect(overtakings()).toEqual([]);
  });
});
