import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TOPICS } from '@hookline/contracts';
import { deliveryIdOf, verifySignature } from '@hookline/domain';
import { failFirstOfEach, WebhookReceiver } from '@hookline/testing';
import { DeliveryRig, TENANT } from './testing/delivery-rig.js';

let rig: DeliveryRig;
let receiver: WebhookReceiver;

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
});

afterEach(async () => {
  await rig.close();
  await receiver.close();
});

const until = (what: string, condition: () => unknown): Promise<unknown> => rig.until(what, condition);

describe('a delivery worker', () => {
  it('delivers an event to each that matches, signed, and says what it matched', async () => {
    rig = await DeliveryRig.open();
    const { url } = receiver;
    const exact = await rig.subscribe({ url: `${url}exact`, types: ['order.created'], headers: { 'x-shop': 'one' } });
    const prefix = await rig.subscribe({ url: `${url}prefix`, types: ['order.*', 'order.created'] });
    await rig.subscribe({ url: `${url}other`, types: ['invoice.*'] });
    await rig.subscribe({ url: `${url}tenant`, tenant: 'ten_other' });
    await rig.worker();
    const source = await rig.publish({ id: 'e1', data: '{"a": 1.0}' });
    const nothing = await rig.publish({ id: 'e2', type: 'unheard.of' });

    await receiver.waitForIds(2);
    const outcomes = await rig.outcomesWhere(3, () => true);
    expect(receiver.attempts.map(({ path }) => path).sort()).toEqual(['/exact', '/prefix']);
    const toExact = receiver.requests.find(({ path }) => path === '/exact');
    expect(toExact?.body.toString()).toBe('{"a": 1.0}');
    expect(toExact?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-shop': 'one',
      'webhook-id': deliveryIdOf({ tenant: TENANT, id: 'e1' }, source, exact),
      'hookline-attempt': '1',
      'hookline-event-id': 'e1',
      'hookline-event-type': 'order.created',
    });
    expect(toExact && verifySignature(toExact, rig.secretOf(exact), Date.now())).toBe('valid');

    const about = outcomes.filter(({ eventId }) => eventId === 'e1');
    const matched = about.flatMap((outcome) => (outcome.matched ? [outcome.matched.toSorted().join()] : []));
    expect(new Set(matched)).toEqual(new Set([[exact, prefix].sort().join()]));
    expect(about.map(({ delivery }) => delivery?.state)).toEqual(['delivered', 'delivered']);
    const unmatched = outcomes.filter(({ eventId }) => eventId === 'e2');
    expect(unmatched).toMatchObject([{ matched: [], source: { offset: nothing.offset } }]);
  });

  it('tries again when it is due, never before, until it is delivered', async () => {
    rig = await DeliveryRig.open({ retryDelaysMs: [700, 1_500] });
    receiver.behave(failFirstOfEach(2));
    await rig.subscribe({ url: receiver.url });
    await rig.worker();
    await rig.publish();

    const outcomes = await rig.outcomesWhere(3, ({ delivery }) => delivery !== undefined);
    expect(outcomes.map(({ delivery }) => delivery?.state)).toEqual(['retrying', 'retrying', 'delivered']);
    const attempts = receiver.attempts;
    expect(attempts.map(({ headers }) => headers['hookline-attempt'])).toEqual(['1', '2', '3']);
    expect(new Set(attempts.map(({ id }) => id)).size).toBe(1);
    // The receiver's own times against the append times of the retry records.
    const [[first], [second]] = (await Promise.all(
      ['700ms', '1500ms'].map(async (delay) =>
        (await rig.read(`hookline.retry.${delay}`)).map((each) => each.timestamp),
      ),
    )) as [number[], number[]];
    expect(attempts[1]?.at).toBeGreaterThanOrEqual((first as number) + 700);
    expect(attempts[2]?.at).toBeGreaterThanOrEqual((second as number) + 1_500);
  });

  it('dead-letters with the history when the window is over', async () => {
    rig = await DeliveryRig.open({ retryDelaysMs: [300], windowMs: 1_500 });
    receiver.behave({ status: 500, body: 'no' });
    const id = await rig.subscribe({ url: receiver.url });
    await rig.worker();
    await rig.publish({ id: 'e1', data: '"kept"' });

    const [last] = await rig.outcomesWhere(1, ({ delivery }) => delivery?.state === 'dead-lettered');
    expect(last?.delivery).toMatchObject({ subscriptionId: id, reason: 'expired' });
    const [letter, ...others] = await rig.deadLettersWhen(1);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ reason: 'expired', body: '"kept"', delivery: { event: { id: 'e1' } } });
    const history = letter?.delivery.history ?? [];
    expect(history.length).toBe(receiver.attempts.length);
    expect(history.map(({ number }) => number)).toEqual(history.map((_one, index) => index + 1));
    expect(history.every(({ status }) => status === 500)).toBe(true);
  });

  it('makes one delivery of repeats, also across a restart', async () => {
    rig = await DeliveryRig.open();
    await rig.subscribe({ url: receiver.url });
    const worker = await rig.worker();
    const first = await rig.publish({ id: 'same', partition: 0 });
    await rig.publish({ id: 'same', partition: 0 });
    await rig.outcomesWhere(2, () => true);
    await worker.stop();
    await rig.publish({ id: 'same', partition: 0 });
    await rig.publish({ id: 'another', partition: 0 });
    await rig.worker();

    const outcomes = await rig.outcomesWhere(4, () => true);
    expect(receiver.requests.map(({ headers }) => headers['hookline-event-id'])).toEqual(['same', 'another']);
    const duplicates = outcomes.filter(({ duplicateOf }) => duplicateOf !== undefined);
    expect(duplicates).toMatchObject([
      { eventId: 'same', matched: [], duplicateOf: first.offset },
      { eventId: 'same', matched: [], duplicateOf: first.offset },
    ]);
  });

  it('takes nothing in while its view is stale', async () => {
    rig = await DeliveryRig.open();
    await rig.subscribe({ url: receiver.url });
    const worker = await rig.worker();
    worker.staleBy = 60_000;
    await until('the gate to close', () => !worker.isOpen);
    // What was asked for before the gate closed may still come; after one round it has.
    const late = await rig.subscribe({ url: `${receiver.url}late` });
    await rig.publish({ id: 'meanwhile' });
    await until('the view to know', () => worker.view.get(late) !== undefined);
    expect(receiver.requests).toEqual([]);
    worker.staleBy = 0;
    await receiver.waitForIds(2);
    expect(receiver.attempts.map(({ path }) => path).sort()).toEqual(['/', '/late']);
  });

  it('dead-letters what waits for a subscription that is deleted, and holds it where it is paused or disabled', async () => {
    rig = await DeliveryRig.open({ retryDelaysMs: [1_000] });
    receiver.behave({ status: 503 });
    const deleted = await rig.subscribe({ url: receiver.url, types: ['a'] });
    const disabled = await rig.subscribe({ url: receiver.url, types: ['b'] });
    const paused = await rig.subscribe({ url: receiver.url, types: ['c'] });
    await rig.worker();
    for (const type of ['a', 'b', 'c']) await rig.publish({ type });
    await receiver.waitForRequests(3);
    await rig.subscribe({ id: deleted, status: 'deleted' });
    await rig.subscribe({ id: disabled, status: 'disabled' });
    await rig.subscribe({ id: paused, status: 'paused' });
    await rig.publish({ id: 'after', type: 'a' });

    const ended = await rig.outcomesWhere(
      3,
      ({ delivery }) => delivery?.attempt === undefined && delivery !== undefined,
    );
    expect(
      Object.fromEntries(
        ended.map(({ delivery }) => [delivery?.subscriptionId, `${delivery?.state} ${delivery?.reason}`]),
      ),
    ).toEqual({
      [deleted]: 'dead-lettered subscription-deleted',
      [disabled]: 'held subscription-disabled',
      [paused]: 'held subscription-paused',
    });
    const letters = await rig.deadLettersWhen(1);
    expect(letters.map(({ delivery, reason }) => [delivery.subscriptionId, reason])).toEqual([
      [deleted, 'subscription-deleted'],
    ]);
    const [after] = await rig.outcomesWhere(1, ({ eventId }) => eventId === 'after');
    expect(after?.matched).toEqual([]);
  });

  it('matches by the version that held where an event stands, also where it reads it late', async () => {
    rig = await DeliveryRig.open();
    const id = await rig.subscribe({ url: receiver.url });
    const holds = async (event: string): Promise<Record<string, number>> => {
      const { offset } = await rig.publish({ id: event, partition: 0 });
      return { '0': offset + 1 };
    };
    const live = { version: 1, live: true, types: ['*'], holdsFrom: {} };
    const pausedFrom = await holds('before');
    await rig.subscribe({ id, status: 'paused', holdsFrom: pausedFrom, before: [live] });
    const enabledFrom = await holds('meanwhile');
    const paused = { version: 2, live: false, types: ['*'], holdsFrom: pausedFrom };
    await rig.subscribe({ id, status: 'enabled', holdsFrom: enabledFrom, before: [paused, live] });
    await rig.publish({ id: 'after', partition: 0 });
    // It has seen nothing of all that.
    const worker = await rig.worker();
    const matched = async (count: number) => {
      const outcomes = await rig.outcomesWhere(count, (outcome) => outcome.matched !== undefined);
      return Object.fromEntries(outcomes.map((outcome) => [outcome.eventId, outcome.matched]));
    };
    expect(await matched(3)).toEqual({ before: [id], meanwhile: [], after: [id] });
    await receiver.waitForIds(2);
    // And one that has seen it all goes on by the latest.
    const pausedAgain = await holds('last');
    await until('the last', () => receiver.attempts.length === 3);
    const enabled = { version: 3, live: true, types: ['*'], holdsFrom: enabledFrom };
    await rig.subscribe({ id, status: 'paused', holdsFrom: pausedAgain, before: [enabled, paused, live] });
    await until('the view to know', () => worker.view.get(id)?.status === 'paused');
    await rig.publish({ id: 'held', partition: 0 });
    expect(await matched(5)).toMatchObject({ last: [id], held: [] });
    expect(receiver.attempts.map(({ headers }) => headers['hookline-event-id'])).toEqual(['before', 'after', 'last']);
  });

  it('ends what a catch-up brings without a word, and sends what is of the new epoch', async () => {
    rig = await DeliveryRig.open({ retryDelaysMs: [1_000] });
    receiver.behave({ status: 503 });
    const id = await rig.subscribe({ url: receiver.url });
    const worker = await rig.worker();
    await rig.publish({ id: 'old', partition: 0 });
    await rig.outcomesWhere(1, ({ delivery }) => delivery?.state === 'retrying');
    await rig.subscribe({ id, epoch: 1 });
    await until('the view to know', () => worker.view.get(id)?.epoch === 1);
    receiver.behave(failFirstOfEach(1));
    await rig.publish({ id: 'new', partition: 0 });
    await rig.outcomesWhere(1, ({ eventId, delivery }) => eventId === 'new' && delivery?.state === 'delivered');
    await until('the lanes to be empty', async () => (await rig.backlog('hookline.retry.1s')) === 0);
    expect(receiver.attempts.filter(({ headers }) => headers['hookline-event-id'] === 'new')).toHaveLength(2);
    // Its endpoint would take it by now, or at the second time; but nothing says any more of it.
    const old = (await rig.outcomes()).filter(({ eventId }) => eventId === 'old');
    expect(new Set(old.map(({ delivery }) => delivery?.state))).toEqual(new Set(['retrying']));
  });

  it('dead-letters what it cannot read, and goes on', async () => {
    rig = await DeliveryRig.open();
    await rig.subscribe({ url: receiver.url });
    await rig.worker();
    await rig.write(TOPICS.events, null, Buffer.from('\xff\xfe'), { event: '{"v":99}' });
    await rig.write(TOPICS.deliveries, 'key', Buffer.from('garbage'), { tenant: 'x' });
    await rig.publish({ id: 'fine' });

    await receiver.waitForIds(1);
    const letters = await rig.unreadableWhen(2);
    expect(letters.map(({ headers }) => String(headers['reason']))).toEqual(['unreadable', 'unreadable']);
    expect(letters.map(({ headers }) => String(headers['detail'])).sort()).toEqual([
      'event version 99 is unknown',
      'header event is missing',
    ]);
    expect(letters.map(({ headers }) => String(headers['origin'])).sort()).toEqual([
      expect.stringMatching(/^hookline\.deliveries:\d:0$/),
      expect.stringMatching(/^hookline\.events:\d:0$/),
    ]);
  });

  it('repeats nothing after a graceful stop with work in flight', async () => {
    rig = await DeliveryRig.open({ retryDelaysMs: [1_000, 3_600_000] });
    rig.drainMs = 3_600_000;
    const failsOnce = (id: string | undefined): boolean => Number(id?.slice(1)) % 10 === 0;
    receiver.behave(async ({ path, headers }) => {
      const isFirst = headers['hookline-attempt'] === '1';
      const fails = path === '/hour' || (isFirst && failsOnce(headers['hookline-event-id']));
      return { delayMs: 100, status: fails ? 500 : 204 };
    });
    await rig.subscribe({ url: receiver.url, types: ['order.*'] });
    await rig.subscribe({ url: `${receiver.url}hour`, types: ['hour'] });
    const worker = await rig.worker();
    // It has failed twice, and waits for an hour: a stop does not wait with it.
    await rig.publish({ id: 'waits', type: 'hour' });
    await rig.outcomesWhere(2, ({ eventId, delivery }) => eventId === 'waits' && delivery?.state === 'retrying');
    await Promise.all(Array.from({ length: 200 }, (_, n) => rig.publish({ id: `e${n}` })));
    const orders = () => receiver.requests.filter(({ path }) => path === '/');
    await until('work in flight', () => orders().length >= 20);
    let isStopped = false;
    void worker.stop().then(() => (isStopped = true));
    await until('it to stop', () => isStopped);
    await rig.worker();
    const attempts = (which: string) => orders().filter(({ headers }) => headers['hookline-attempt'] === which);
    const eventIds = (which: string) => new Set(attempts(which).map(({ headers }) => headers['hookline-event-id']));
    await until('every event', () => eventIds('1').size === 200);
    // A retry goes on where it was: as the second attempt.
    const failed = [...eventIds('1')].filter(failsOnce);
    await until('every retry', () => failed.every((id) => eventIds('2').has(id)));
    expect(failed.length).toBe(20);
    await rig.outcomesWhere(220, ({ eventId, delivery }) => eventId !== 'waits' && delivery !== undefined);
    expect(attempts('1').length).toBe(200);
  });

  it('hands over what finds no room, without spending an attempt, and the owner delivers it', async () => {
    rig = await DeliveryRig.open({ endpointConcurrency: 1, endpointQueue: 3, directWaitMs: 200 });
    let inFlight = 0;
    let most = 0;
    receiver.behave(async () => {
      most = Math.max(most, ++inFlight);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inFlight--;
      return {};
    });
    await rig.subscribe({ url: receiver.url });
    await rig.worker();
    await Promise.all(Array.from({ length: 40 }, () => rig.publish()));

    await receiver.waitForIds(40);
    expect(most).toBe(1);
    expect(receiver.requests.length).toBe(40);
    expect(receiver.requests.every(({ headers }) => headers['hookline-attempt'] === '1')).toBe(true);
    const busy = (await rig.outcomes()).filter(({ delivery }) => delivery?.reason === 'busy');
    expect(busy.length).toBeGreaterThan(0);
    expect(busy.every(({ delivery }) => delivery?.attempt === undefined)).toBe(true);
  });
});
