import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeDeliveryHeaders, retryTopic, TOPICS } from '@hookline/contracts';
import { verifySignature } from '@hookline/domain';
import { LogClock } from '@hookline/kafka';
import { systemClock, type Clock } from '@hookline/platform';
import { failFirstOfEach, WebhookReceiver } from '@hookline/testing';
import { LogTime } from './log-time.js';
import { DeliveryRig } from './testing/delivery-rig.js';

const HOUR_MS = 3_600_000;

/** A wall clock that is off, and can be set. */
class WallClock implements Clock {
  readonly after = systemClock.after;
  constructor(public off: number) {}
  now = (): number => Date.now() + this.off;
}

let rig: DeliveryRig;
let receiver: WebhookReceiver;
let times: LogTime[];

beforeEach(async () => {
  times = [];
  receiver = await WebhookReceiver.start();
});

afterEach(async () => {
  for (const time of times) time.stop();
  await rig.close();
  await receiver.close();
});

/** A worker whose machine has this clock, on the time of the log as the role has it. */
async function workerBy(wall: WallClock): Promise<LogClock> {
  const clock = new LogClock(wall);
  rig.onAppended = clock.learn;
  const output = {
    produce: (record: { topic: string }) =>
      rig.pump.produce({ ...record, topic: rig.named(record.topic), value: null }),
  };
  const time = new LogTime(output, clock);
  times.push(time);
  await time.start();
  await rig.worker(clock);
  return clock;
}

/** When each retry was appended and, by delivery, when the receiver saw the attempt that it is for. */
async function expectNothingEarly(delaysMs: readonly number[]): Promise<void> {
  for (const delayMs of delaysMs) {
    // Of one that was put off a second time, for the worker did not know that it had been, the first counts.
    const putOff = new Map<string, number>();
    for (const { timestamp, headers } of (await rig.read(retryTopic(delayMs))).reverse()) {
      const { deliveryId, attempts } = decodeDeliveryHeaders(headers);
      putOff.set(`${deliveryId} ${attempts + 1}`, timestamp);
    }
    for (const [attempt, timestamp] of putOff) {
      const next = receiver.requests.find(({ id, headers }) => `${id} ${headers['hookline-attempt']}` === attempt);
      expect(next?.at).toBeGreaterThanOrEqual(timestamp + delayMs);
    }
  }
}

describe('a clock that steps back or forward an hour neither sends early nor loses', () => {
  const delays = [1_000, 2_000];

  for (const [how, off] of [
    ['an hour ahead', HOUR_MS],
    ['an hour behind', -HOUR_MS],
  ] as const) {
    it(`of a worker that is ${how}`, async () => {
      rig = await DeliveryRig.open({ retryDelaysMs: delays, windowMs: HOUR_MS / 2 });
      const id = await rig.subscribe({ url: receiver.url });
      receiver.behave(failFirstOfEach(2));
      const wall = new WallClock(off);
      const clock = await workerBy(wall);
      expect(Math.abs(clock.now() - Date.now())).toBeLessThan(HOUR_MS / 2);
      await Promise.all(Array.from({ length: 20 }, () => rig.publish()));
      await receiver.waitForRequests(20);
      // And now it is set, the other way, while all of them wait.
      wall.off = -off;

      await receiver.waitForIds(20);
      await rig.outcomesWhere(20, ({ delivery }) => delivery?.state === 'delivered');
      expect(await rig.read(TOPICS.deadLetters)).toEqual([]);
      await expectNothingEarly(delays);
      for (const request of receiver.requests) {
        // Receivers compare the time in the signature with their own.
        expect(verifySignature(request, rig.secretOf(id), Date.now())).toBe('valid');
      }
      const told = await rig.outcomesWhere(60, ({ delivery }) => delivery?.attempt !== undefined);
      const attempts = told.flatMap(({ delivery }) => delivery?.attempt ?? []);
      expect(attempts).toHaveLength(60);
      for (const { at } of attempts) expect(Math.abs(at - Date.now())).toBeLessThan(HOUR_MS / 2);
    });
  }
});

describe('what a worker that comes later finds', () => {
  it('waits for its time and its end by the log, though a worker whose clock was wrong had written it', async () => {
    rig = await DeliveryRig.open({ retryDelaysMs: [3_000], windowMs: 60_000 });
    await rig.subscribe({ url: receiver.url });
    receiver.behave(failFirstOfEach(1));
    await workerBy(new WallClock(-HOUR_MS));
    await rig.publish();
    await rig.until('the retry', async () => (await rig.read(retryTopic(3_000))).length > 0);
    await workerBy(new WallClock(HOUR_MS));
    await receiver.waitForIds(1);
    expect(await rig.read(TOPICS.deadLetters)).toEqual([]);
    await expectNothingEarly([3_000]);
  });
});
