import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { optionalHeader, TOPICS } from '@hookline/contracts';
import { deliveryIdOf } from '@hookline/domain';
import { WebhookReceiver } from '@hookline/testing';
import { DeliveryRig, TENANT } from './testing/delivery-rig.js';

let rig: DeliveryRig;
let receiver: WebhookReceiver;

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
});

afterEach(async () => {
  // Whoever still waits for an answer has none to wait for any more.
  await receiver.close();
  await rig.close();
});

const until = (what: string, condition: () => unknown): Promise<unknown> => rig.until(what, condition);

/** Longer than a machine may stand still: who loses its partitions here is the one that dies, and only then. */
const SESSION_MS = 15_000;

/** How many requests each path got. */
const counts = (): Record<string, number> => {
  const found: Record<string, number> = {};
  for (const { path } of receiver.requests) found[path] = (found[path] ?? 0) + 1;
  return found;
};

/** Two characters for all parts together, this one for the kind and count, and two for the one. */
const ONE_OPEN = String.fromCharCode(0x3400 + 2);

/** The first record is begun and not complete, and what is left of it is one fingerprint. */
const isDoneButOne = ({ offset, remainders }: Awaited<ReturnType<DeliveryRig['committed']>>): boolean =>
  offset === 0 && remainders.length === 1 && remainders[0]?.remainder[2] === ONE_OPEN;

describe('completion for (offset, matched subscription)', () => {
  it('one hanging target among many does not repeat the others: a killed worker leaves only that one to the next', async () => {
    rig = await DeliveryRig.open({}, SESSION_MS);
    const names = Array.from({ length: 16 }, (_, n) => `/${n}`);
    for (const name of names) await rig.subscribe({ url: receiver.url + name.slice(1), types: ['order.*'] });
    receiver.behave(({ path }) => (path === '/7' ? { hang: true } : {}));
    const first = await rig.worker();
    await rig.publish({ id: 'wide', partition: 0 });
    await rig.publish({ id: 'after', type: 'unheard.of', partition: 0 });
    await receiver.waitForRequests(16);
    await rig.outcomesWhere(15, ({ delivery }) => delivery?.state === 'delivered');
    await until('a commit of it', async () => isDoneButOne(await rig.committed(TOPICS.events, 0)));
    first.die();

    receiver.behave({});
    await rig.worker();
    await until('the one that hung', () => receiver.acceptedIds().size === 16);
    expect(counts()).toEqual(Object.fromEntries(names.map((name) => [name, name === '/7' ? 2 : 1])));
  });

  it('holds in a lane as well, for a record that stands for many', async () => {
    rig = await DeliveryRig.open({ directFanOut: 3 }, SESSION_MS);
    const names = Array.from({ length: 12 }, (_, n) => `/${n}`);
    // Of these ids each of the two partitions has some.
    for (const [n, name] of names.entries()) await rig.subscribe({ id: `sub_${n}`, url: receiver.url + name.slice(1) });
    receiver.behave(({ path }) => (path === '/7' ? { hang: true } : {}));
    const first = await rig.worker();
    await rig.publish();
    await receiver.waitForRequests(12);
    await rig.outcomesWhere(11, ({ delivery }) => delivery?.state === 'delivered');
    await until('a commit of it', async () => {
      const lanes = await Promise.all([0, 1].map((partition) => rig.committed(TOPICS.deliveries, partition)));
      return lanes.some(isDoneButOne) && lanes.some(({ offset }) => offset === 1);
    });
    first.die();

    receiver.behave({});
    await rig.worker();
    await until('the one that hung', () => receiver.acceptedIds().size === 12);
    expect(counts()).toEqual(Object.fromEntries(names.map((name) => [name, name === '/7' ? 2 : 1])));
  });
});

describe('an event that matches more than are served directly', () => {
  it('is handed over as one record for each lane partition, and delivered to each once', async () => {
    rig = await DeliveryRig.open({ directFanOut: 10, retryDelaysMs: [500] });
    const ids = await Promise.all(Array.from({ length: 150 }, (_, n) => rig.subscribe({ url: `${receiver.url}${n}` })));
    receiver.behave(({ headers, path }) =>
      path === '/13' && headers['hookline-attempt'] === '1' ? { status: 500 } : {},
    );
    await rig.worker();
    const source = await rig.publish({ id: 'e1', data: '{"wide": 1.0}' });

    expect(await receiver.waitForIds(150)).toEqual(
      new Set(ids.map((id) => deliveryIdOf({ tenant: TENANT, id: 'e1' }, source, id))),
    );
    expect(receiver.requests).toHaveLength(151);
    expect(new Set(receiver.requests.map(({ body }) => body.toString()))).toEqual(new Set(['{"wide": 1.0}']));
    const handedOver = await rig.read(TOPICS.deliveries);
    expect(handedOver.map(({ partition }) => partition).sort()).toEqual([0, 1]);
    // The one that failed goes on as a record of its own.
    const retried = (await rig.read('hookline.retry.500ms')).map(({ headers }) => headers);
    expect(retried.map((headers) => optionalHeader(headers, 'subscription'))).toEqual([ids[13]]);

    const outcomes = await rig.outcomesWhere(152, () => true);
    const matched = outcomes.flatMap(({ matched: some }) => (some === undefined ? [] : [some]));
    expect(matched.map((some) => some.toSorted())).toEqual([ids.toSorted()]);
  });

  it('hands those over one by one that are served in order', async () => {
    rig = await DeliveryRig.open({ directFanOut: 2 });
    const plain = await Promise.all([0, 1, 2].map((n) => rig.subscribe({ url: `${receiver.url}${n}` })));
    const ordered = await rig.subscribe({ url: `${receiver.url}ordered`, ordering: 'key' });
    await rig.worker();
    await rig.publish();
    await receiver.waitForIds(4);
    const records = (await rig.read(TOPICS.deliveries)).map(({ headers }) => headers);
    const lists = records.flatMap((headers) => JSON.parse(optionalHeader(headers, 'fan-out') ?? '[]') as string[]);
    expect(lists.sort()).toEqual(plain.toSorted());
    expect(records.flatMap((headers) => optionalHeader(headers, 'subscription') ?? [])).toEqual([ordered]);
  });
});

describe('the owner', () => {
  it('of a subscription is one worker, and each knows how many there are', async () => {
    rig = await DeliveryRig.open();
    const ids = Array.from({ length: 20 }, (_, n) => `sub_${n}`);
    const owners = (workers: readonly { share: { isOwner(id: string): boolean } }[]): number[] =>
      ids.map((id) => workers.filter(({ share }) => share.isOwner(id)).length);
    const one = await rig.worker();
    await until('it to own all', () => owners([one]).every((count) => count === 1));
    expect(one.share.workers()).toBe(1);
    const other = await rig.worker();
    await until('both to know', () => one.share.workers() === 2 && other.share.workers() === 2);
    await until('one owner for each', () => owners([one, other]).every((count) => count === 1));
    expect(new Set(ids.map((id) => one.share.isOwner(id))).size).toBe(2);
    await other.stop();
    await until('the rest to be taken over', () => owners([one]).every((count) => count === 1));
    expect(one.share.workers()).toBe(1);
  });
});

describe('routing', () => {
  it('leads what is ordered or limited over its owner, and the rest directly', async () => {
    rig = await DeliveryRig.open();
    await rig.subscribe({ url: `${receiver.url}plain` });
    const ordered = await rig.subscribe({ url: `${receiver.url}ordered`, ordering: 'key' });
    const limited = await rig.subscribe({ url: `${receiver.url}limited`, rateLimit: { perSecond: 50, burst: 50 } });
    await rig.worker();
    await rig.publish();
    await receiver.waitForIds(3);
    const lane = await rig.read(TOPICS.deliveries);
    expect(lane.map(({ headers }) => optionalHeader(headers, 'subscription')).sort()).toEqual(
      [ordered, limited].sort(),
    );
  });
});
