import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  encodeDeliveryHeaders,
  encodeEventHeaders,
  encodeWideHeaders,
  optionalHeader,
  TOPICS,
  type EventEnvelope,
} from '@hookline/contracts';
import { deliveryIdOf, newId } from '@hookline/domain';
import { waitUntil, WebhookReceiver } from '@hookline/testing';
import { DEADLINE_MS, DeliveryRig, TENANT } from './testing/delivery-rig.js';

let rig: DeliveryRig;
let receiver: WebhookReceiver;

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
  rig = await DeliveryRig.open({ retryDelaysMs: [1_000, 2_000] });
});

afterEach(async () => {
  await rig.close();
  await receiver.close();
});

type Headers = Record<string, string>;
/** What is bad about a record, and how a good one becomes it. */
type Garbage = readonly [what: string, value: Buffer | null, spoil: (good: Headers) => Headers];

const BODY = Buffer.from('{"a": 1}');
const BYTES = Buffer.from([0xff, 0xfe, 0x00, 0x80]);
const without =
  (name: string) =>
  (good: Headers): Headers => {
    const { [name]: _, ...rest } = good;
    return rest;
  };
const having =
  (name: string, value: string) =>
  (good: Headers): Headers => ({ ...good, [name]: value });
/** The list of a wide record in place of the one subscription. */
const wide =
  (list: string) =>
  (good: Headers): Headers => ({ ...without('subscription')(good), 'fan-out': list });

/** What can be wrong with an event, wherever it stands. */
const OF_AN_EVENT: readonly Garbage[] = [
  ['bytes without headers', BYTES, () => ({})],
  ['no value', null, (good) => good],
  ['an event that is not JSON', BODY, having('event', BYTES.toString('latin1'))],
  ['an event of an unknown version', BODY, having('event', '{"v":99,"tenant":"a","id":"b","type":"c","time":"d"}')],
  ['an event without a tenant', BODY, having('event', '{"v":1,"id":"b","type":"c","time":"d"}')],
  ['an event that is a list', BODY, having('event', '[]')],
];

const OF_A_LANE: readonly Garbage[] = [
  ...OF_AN_EVENT,
  ['no source', BODY, without('source')],
  ['a source that is no position', BODY, having('source', '1:x:2')],
  ['no subscription', BODY, without('subscription')],
  ['a subscription that is none', BODY, having('subscription', 'sub_\r\nx: y')],
  ['a delivery id that is none', BODY, having('delivery', 'msg_1')],
  ['no count of attempts', BODY, without('attempts')],
  ['a window of no number', BODY, having('window', 'soon')],
  ['a history that is no list', BODY, having('history', '{"number":1}')],
  ['a history of something else', BODY, having('history', '[null]')],
  ['a list of subscriptions that is not JSON', BODY, wide('["sub_a"')],
  ['an empty list of subscriptions', BODY, wide('[]')],
  ['a list with a subscription that is none', BODY, wide('["sub_a","x"]')],
];

const eventOf = (id: string): EventEnvelope => ({
  tenant: TENANT,
  id,
  type: 'order.created',
  time: '2026-01-01T00:00:00Z',
});

function laneHeaders(id: string, subscriptionId: string): Headers {
  const event = eventOf(id);
  const source = { partition: 0, offset: 1, at: Date.now() };
  const deliveryId = deliveryIdOf(event, source, subscriptionId);
  const windowStart = Date.now();
  return encodeDeliveryHeaders({
    event,
    source,
    subscriptionId,
    deliveryId,
    attempts: 0,
    windowStart,
    history: [],
  }) as Headers;
}

describe('records that cannot be read', () => {
  it.each([
    [TOPICS.events, OF_AN_EVENT],
    [TOPICS.deliveries, OF_A_LANE],
    [TOPICS.replays, OF_A_LANE],
    ['hookline.retry.1s', OF_A_LANE],
    ['hookline.retry.2s', OF_A_LANE],
  ])(
    'in %s go to the dead letters with the reason, and what stands between them is delivered',
    async (topic, table) => {
      const subscriptionId = await rig.subscribe({ url: receiver.url });
      const good = (id: string): Headers =>
        topic === TOPICS.events ? (encodeEventHeaders(eventOf(id)) as Headers) : laneHeaders(id, subscriptionId);
      const write = (value: Buffer | null, headers: Headers) =>
        rig.pump.produce({ topic: rig.named(topic), partition: 0, value, headers });
      const expected = new Map<string, string>();
      await write(BODY, good('first'));
      for (const [n, [what, value, spoil]] of table.entries()) {
        const { offset } = await write(value, spoil(good(newId('evt'))));
        expected.set(`${topic}:0:${offset}`, what);
        await write(BODY, good(`good${n}`));
      }
      const worker = await rig.worker();

      await receiver.waitForIds(table.length + 1);
      const letters = await rig.unreadableWhen(table.length);
      const origins = letters.map(({ headers }) => optionalHeader(headers, 'origin') ?? '');
      expect(origins.map((origin) => expected.get(origin)).sort()).toEqual(table.map(([what]) => what).sort());
      expect(letters.map(({ headers }) => optionalHeader(headers, 'reason'))).toEqual(letters.map(() => 'unreadable'));
      expect(letters.every(({ headers }) => (optionalHeader(headers, 'detail') ?? '').length > 10)).toBe(true);
      // As it stood: what was wrong can be looked at.
      const values = new Map(table.map(([what, value]) => [what, value]));
      for (const { headers, value } of letters)
        expect(value).toEqual(values.get(expected.get(optionalHeader(headers, 'origin') ?? '') ?? ''));
      const counted = /hookline_dead_letters_total\{[^}]*reason="unreadable"[^}]*\} (\d+)/;
      expect(Number(counted.exec(await worker.metrics.text())?.[1])).toBeGreaterThanOrEqual(table.length);
      expect(receiver.requests).toHaveLength(table.length + 1);
    },
  );

  it('of the size that a topic takes are noted with where they stand', async () => {
    await rig.subscribe({ url: receiver.url });
    const { offset } = await rig.pump.produce({
      topic: rig.named(TOPICS.events),
      partition: 0,
      value: Buffer.alloc(999_900),
      headers: { x: 'y' },
    });
    await rig.publish({ id: 'good', partition: 0 });
    await rig.worker();
    await receiver.waitForIds(1);
    const [letter] = await rig.unreadableWhen(1);
    expect(letter).toMatchObject({ value: null });
    expect(optionalHeader(letter?.headers ?? {}, 'origin')).toBe(`${TOPICS.events}:0:${offset}`);
  });

  it('and are well formed, but of subscriptions that nobody has, wait for them', async () => {
    const event = eventOf('e1');
    const headers = encodeWideHeaders({
      event,
      source: { partition: 0, offset: 1, at: Date.now() },
      windowStart: Date.now(),
      subscriptionIds: [newId('sub'), newId('sub')],
    });
    await rig.pump.produce({ topic: rig.named(TOPICS.deliveries), partition: 0, value: BODY, headers });
    await rig.worker();
    const retried = await waitUntil(
      async () => {
        const found = await rig.read('hookline.retry.1s');
        return new Set(found.map(({ headers: own }) => optionalHeader(own, 'subscription'))).size === 2 && found;
      },
      { deadlineMs: DEADLINE_MS, what: 'both to be put off' },
    );
    expect(retried.map(({ headers: own }) => optionalHeader(own, 'attempts'))).toContain('0');
    expect(await rig.read(TOPICS.deadLetters)).toEqual([]);
  });
});
