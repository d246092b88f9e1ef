import { describe, expect, it } from '@jest/globals';
import { DELIVERED } from '@hookline/domain';
import type { SendResult } from '@hookline/http-delivery';
import { NotOwner } from '../delivery.js';
import { DelivererRig } from '../testing/deliverer-rig.js';

/** Answers that are given one by one. */
class Answers {
  private readonly open: ((result: SendResult) => void)[] = [];

  readonly next = (): Promise<SendResult> => new Promise((resolve) => this.open.push(resolve));

  get size(): number {
    return this.open.length;
  }

  give(result: SendResult): void {
    this.open.shift()?.(result);
  }
}

const OK: SendResult = { status: 204, durationMs: 1 };
const FAILED: SendResult = { status: 500, durationMs: 1 };

describe('a delivery', () => {
  it('ends as delivered when its record is written', async () => {
    const rig = new DelivererRig();
    expect(await rig.deliver()).toEqual(DELIVERED);
    expect(rig.outcomes()).toMatchObject([{ delivery: { state: 'delivered', attempt: { number: 1, status: 204 } } }]);
  });

  it('is told with the version that it was sent by; and a failure with the headers of the answer', async () => {
    const rig = new DelivererRig({}, { version: 7 });
    rig.answer = () => ({ ...FAILED, headers: ['x-request-id', '1'] });
    await rig.deliver();
    rig.answer = () => OK;
    await rig.deliver();
    const [failed, delivered] = rig.outcomes().map(({ delivery }) => delivery?.attempt);
    expect(failed).toMatchObject({ version: 7, responseHeaders: ['x-request-id', '1'] });
    expect(delivered).toMatchObject({ version: 7, status: 204 });
    expect(delivered).not.toHaveProperty('responseHeaders');
  });

  it('that is expired is buried before it waits for room', async () => {
    const rig = new DelivererRig({ endpointConcurrency: 1 });
    rig.answer = new Answers().next;
    void rig.deliver();
    const windowStart = rig.clock.now() - rig.settings.windowMs - 1;
    expect(await rig.deliver('retry', rig.delivery({ windowStart }))).toEqual({
      kind: 'dead-letter',
      reason: 'expired',
    });
    expect(rig.sentAt).toHaveLength(1);
  });

  it('is not sent by a worker that was frozen and wakes', async () => {
    const rig = new DelivererRig({ endpointConcurrency: 1 });
    const answers = new Answers();
    rig.answer = answers.next;
    const first = rig.deliver();
    const second = rig.deliver();
    // Meanwhile the group has given this worker up, and nobody has told it.
    rig.owner = false;
    answers.give(OK);
    await first;
    await expect(second).rejects.toThrow(NotOwner);
    await expect(rig.deliver()).rejects.toThrow(NotOwner);
    expect([rig.sentAt.length, rig.rooms.inFlight]).toEqual([1, 0]);
  });
});

describe('an endpoint that answers 410', () => {
  it('gets nothing more, and its subscription is told of, until it is changed', async () => {
    const rig = new DelivererRig({ endpointConcurrency: 1 }, { version: 3 });
    rig.answer = () => ({ status: 410, durationMs: 1 });
    const gone = { kind: 'dead-letter', reason: 'endpoint-gone' };
    // What becomes of the subscription is known when it is disabled, or changed: held before that, nobody would bring it.
    const later = { kind: 'defer' };
    expect(await Promise.all([rig.deliver(), rig.deliver(), rig.deliver('event')])).toMatchObject([gone, later, later]);
    expect(await rig.deliver('event')).toMatchObject(later);
    expect(rig.sentAt).toHaveLength(1);
    expect(rig.outcomes().filter(({ delivery }) => delivery?.state === 'retrying')).toHaveLength(3);
    const told = rig.outcomes().filter(({ gone: about }) => about !== undefined);
    expect(told).toMatchObject([
      {
        gone: { subscriptionId: 'sub_a', version: 3 },
        delivery: { state: 'dead-lettered', reason: 'endpoint-gone', attempt: { number: 1, status: 410 } },
      },
    ]);
    rig.change({ url: 'https://example.com/new' });
    rig.answer = () => OK;
    expect(await rig.deliver()).toEqual(DELIVERED);
  });
});

describe('an endpoint that asks to be left alone', () => {
  it('by 429 and Retry-After is left alone for so long, and its breaker stays closed', async () => {
    const rig = new DelivererRig({ breakerFailures: 1, startConcurrency: 8 });
    rig.answer = () => ({ status: 429, retryAfter: '120', durationMs: 1 });
    expect(await rig.deliver()).toMatchObject({ kind: 'retry', delayMs: 120_000 });
    expect([rig.subscriber.door?.breaker.state, rig.subscriber.door?.limit.current]).toEqual(['closed', 4]);
    rig.answer = () => OK;
    // 30 s is the longest that is over by then.
    await rig.clock.advanceAsync(10_000);
    expect(await rig.deliver()).toMatchObject({ kind: 'defer', delayMs: 30_000 });
    expect(await rig.deliver('event')).toMatchObject({ kind: 'defer', delayMs: 0 });
    await rig.clock.advanceAsync(106_000);
    const waits = rig.deliver();
    await rig.clock.advanceAsync(3_999);
    expect(rig.sentAt).toHaveLength(1);
    await rig.clock.advanceAsync(1);
    expect(await waits).toEqual(DELIVERED);
  });

  it('by 503 alone only gets less, by 429 alone nothing for a second; by more than is honoured, nothing for so long', async () => {
    const rig = new DelivererRig({ retryAfterMostMs: 600_000, breakerFailures: 1, startConcurrency: 8 });
    rig.answer = () => ({ status: 503, durationMs: 1 });
    expect(await rig.deliver()).toMatchObject({ kind: 'retry', delayMs: 5_000 });
    expect([rig.subscriber.door?.closedMs(rig.clock.now()), rig.subscriber.door?.limit.current]).toEqual([0, 4]);
    rig.answer = () => ({ status: 429, durationMs: 1 });
    expect(await rig.deliver()).toMatchObject({ kind: 'retry', delayMs: 5_000 });
    expect(rig.subscriber.door?.closedMs(rig.clock.now())).toBe(1_000);
    await rig.clock.advanceAsync(1_000);
    rig.answer = () => ({ status: 503, retryAfter: '999999', durationMs: 1 });
    expect(await rig.deliver()).toMatchObject({ kind: 'retry', delayMs: 600_000 });
    expect(rig.subscriber.door?.closedMs(rig.clock.now())).toBe(600_000);
  });
});

describe('an endpoint that fails', () => {
  it.each<[string, Partial<SendResult>, number]>([
    ['500', { status: 500 }, 8],
    ['502', { status: 502 }, 8],
    ['408', { status: 408 }, 8],
    ['no answer', { error: 'timeout' }, 8],
    ['302', { status: 302 }, 16],
    ['400', { status: 400 }, 16],
    ['404', { status: 404 }, 16],
  ])('by %s gets less at a time only if that may help, and its breaker counts it', async (_, result, limit) => {
    const rig = new DelivererRig({ breakerFailures: 2, startConcurrency: 16 });
    rig.answer = () => ({ ...result, durationMs: 1 });
    await rig.deliver();
    expect(rig.subscriber.door?.limit.current).toBe(limit);
    await rig.deliver();
    expect(rig.subscriber.door?.breaker.state).toBe('open');
  });

  it('is left alone, then gets one attempt to see, and twice as long after each that fails', async () => {
    const rig = new DelivererRig({ breakerFailures: 3, breakerOpenMs: 5_000 });
    rig.answer = () => FAILED;
    for (let n = 0; n < 3; n++) expect(await rig.deliver()).toMatchObject({ kind: 'retry' });
    expect(await rig.deliver('event')).toMatchObject({ kind: 'defer', delayMs: 0 });
    await rig.clock.advanceAsync(5_000);
    const answers = new Answers();
    rig.answer = answers.next;
    const probe = rig.deliver();
    // While it is out, nothing else goes; what comes waits for it.
    const others = Array.from({ length: 20 }, () => rig.deliver());
    await rig.clock.advanceAsync(100);
    expect(answers.size).toBe(1);
    answers.give(FAILED);
    expect(await probe).toMatchObject({ kind: 'retry' });
    expect(await Promise.all(others)).toMatchObject(
      Array.from({ length: 20 }, () => ({ kind: 'defer', delayMs: 30_000 })),
    );
    expect(rig.subscriber.door?.closedMs(rig.clock.now())).toBe(10_000);
    await rig.clock.advanceAsync(10_000);
    rig.answer = () => OK;
    expect(await rig.deliver()).toEqual(DELIVERED);
    expect([rig.subscriber.door?.breaker.state, rig.subscriber.door?.limit.current]).toEqual(['closed', 1]);
  });

  it('that is back when it is tried gets at once what has come meanwhile', async () => {
    const rig = new DelivererRig({ breakerFailures: 1, breakerOpenMs: 5_000 });
    rig.answer = () => FAILED;
    await rig.deliver();
    await rig.clock.advanceAsync(5_000);
    const answers = new Answers();
    rig.answer = answers.next;
    const late = rig.delivery({ windowStart: rig.clock.now() - 8 * 3_600_000 });
    const [probe, meanwhile] = [rig.deliver(), rig.deliver('retry', late)];
    rig.answer = () => OK;
    answers.give(OK);
    expect(await Promise.all([probe, meanwhile])).toEqual([DELIVERED, DELIVERED]);
  });

  it('keeps nobody waiting once the attempt that tries it is slow: each comes again when a failed one would', async () => {
    const rig = new DelivererRig({ breakerFailures: 1, breakerOpenMs: 5_000 });
    rig.answer = () => FAILED;
    await rig.deliver();
    await rig.clock.advanceAsync(5_000);
    rig.answer = new Answers().next;
    void rig.deliver();
    const waitedMs = [0, 5_000, 35_000, 8 * 3_600_000, rig.settings.windowMs - 700_000];
    const others = waitedMs.map((ms) => rig.deliver('retry', rig.delivery({ windowStart: rig.clock.now() - ms })));
    await rig.clock.advanceAsync(rig.settings.slowAttemptMs);
    const delays = [30_000, 30_000, 120_000, 14_400_000, 600_000];
    expect(await Promise.all(others)).toMatchObject(delays.map((delayMs) => ({ kind: 'defer', delayMs })));
    // Whoever comes now doesn't wait at all.
    expect(await rig.deliver()).toMatchObject({ kind: 'defer', delayMs: 30_000 });
  });

  it('is tried by the next where the one that was to be tried is no longer owned', async () => {
    const rig = new DelivererRig({ breakerFailures: 1, breakerOpenMs: 5_000 });
    rig.answer = () => FAILED;
    await rig.deliver();
    await rig.clock.advanceAsync(1_000);
    const lost = rig.deliver();
    rig.owner = false;
    const rejected = expect(lost).rejects.toThrow(NotOwner);
    await rig.clock.advanceAsync(4_000);
    await rejected;
    rig.owner = true;
    rig.answer = () => OK;
    expect(await rig.deliver()).toEqual(DELIVERED);
  });
});

describe('a subscription with a rate limit', () => {
  const rateLimit = { perSecond: 50, burst: 1 };

  it('gets exactly as many attempts as it may over a minute of load', async () => {
    const rig = new DelivererRig({}, { rateLimit });
    rig.comesAgain = true;
    const start = rig.clock.now();
    for (let second = 0; second < 60; second++) {
      for (let n = 0; n < 100; n++) void rig.deliver();
      await rig.clock.advanceAsync(1_000);
    }
    expect(rig.sentAt).toHaveLength(3_000);
    const { sentAt } = rig;
    for (let n = 0; n < sentAt.length; n++) expect((sentAt[n] as number) - start).toBe((n + 1) * 20);
  });

  it('starts with nothing to spend when it is taken over', async () => {
    const rig = new DelivererRig({}, { rateLimit: { perSecond: 1, burst: 5 } });
    void rig.deliver();
    await rig.clock.advanceAsync(60_000);
    const five = Promise.all(Array.from({ length: 5 }, () => rig.deliver()));
    await rig.clock.advanceAsync(0);
    expect(await five).toHaveLength(5);
    rig.takenAway();
    await rig.clock.advanceAsync(60_000);
    for (let n = 0; n < 5; n++) void rig.deliver();
    await rig.clock.advanceAsync(999);
    expect(rig.sentAt).toHaveLength(6);
    await rig.clock.advanceAsync(1);
    expect(rig.sentAt).toHaveLength(7);
  });

  it.each([
    [0, 1.01],
    [3, 1.15],
  ])(
    'Deferring can live-lock: thousands do not turn round in the shortest delay, jitter %d %%',
    async (retryJitterPercent, most) => {
      const rig = new DelivererRig({ retryJitterPercent }, { rateLimit });
      rig.comesAgain = true;
      const start = rig.clock.now();
      const count = 5_000;
      for (let n = 0; n < count; n++) void rig.deliver();
      while (rig.sentAt.length < count) {
        rig.written = [];
        await rig.clock.advanceAsync(10_000);
      }
      // The rate is used to its last slot, though each comes back at the delays that there are, and no later than it may;
      // but for those slots that go by while the first of them are late by their jitter.
      expect((rig.sentAt.at(-1) as number) - start).toBeLessThan(count * 20 * most);
      // In the shortest delay alone that would be 10: one of 20 rounds for each, on average.
      expect(rig.lateRecords / count).toBeLessThan(5);
    },
  );
});
