import { beforeEach, describe, expect, it } from '@jest/globals';
import type { DeliveryConfig } from '@hookline/config';
import { encodeEventHeaders, TOPICS, type SubscriptionRecord } from '@hookline/contracts';
import { CompletionTracker } from '@hookline/domain';
import type { SendResult } from '@hookline/http-delivery';
import type { Assignment, LogRecord, OutgoingRecord } from '@hookline/kafka';
import { TestClock } from '@hookline/testing';
import type { DeliveryEngine } from '../engine.js';
import { subscriptionRecord } from '../testing/guests.js';
import { testEngine } from '../testing/test-engine.js';

const SLOW_MS = 2_000;

describe('events whose endpoint hangs', () => {
  let clock: TestClock;
  let ends: ((result: SendResult) => void)[];
  let written: OutgoingRecord[];
  let aside: number[];
  let assignment: Assignment;
  let tracker: CompletionTracker;
  let offset: number;

  beforeEach(() => {
    clock = new TestClock();
    ends = [];
    written = [];
    aside = [];
    tracker = new CompletionTracker(0);
    offset = 0;
    assignment = {
      topic: TOPICS.events,
      partition: 0,
      signal: new AbortController().signal,
      partsOf: (of, parts) => tracker.parts(of, parts),
      setAside: (of) => void aside.push(of),
    };
  });

  /** `sub_ok…` answers at once; the others when the test says so. */
  function engineWith(settings: Partial<DeliveryConfig> = {}): DeliveryEngine {
    return testEngine({
      settings: { slowAttemptMs: SLOW_MS, ...settings },
      client: {
        send: ({ endpoint }) =>
          endpoint.url.includes('sub-ok')
            ? Promise.resolve({ status: 204, durationMs: 1 })
            : new Promise((resolve) => ends.push(resolve)),
      },
      output: {
        produce: async (record) => {
          written.push(record);
          return { partition: 0, offset: written.length };
        },
      },
      clock,
    });
  }

  function subscribe(
    engine: DeliveryEngine,
    tenant: string,
    ids: readonly string[],
    change: Partial<SubscriptionRecord> = {},
  ): void {
    for (const id of ids) engine.targets.apply(id, subscriptionRecord({ tenant, types: ['a'], id, ...change }));
  }

  function take(engine: DeliveryEngine, tenant: string, type = 'a'): Promise<void> | undefined {
    tracker.begin(offset);
    const event = { tenant, id: `e${offset}`, type, time: '2026-01-01T00:00:00Z' };
    const record: LogRecord = {
      assignment,
      topic: TOPICS.events,
      partition: 0,
      offset: offset++,
      timestamp: clock.now(),
      key: null,
      value: Buffer.from('{}'),
      headers: encodeEventHeaders(event),
      done: false,
    };
    return engine.events.handler([record])[0];
  }

  const inLane = (): unknown[] => written.filter(({ topic }) => topic === TOPICS.deliveries).map(({ key }) => key);

  it('are set aside once their attempt is slow, so that the others are read on', async () => {
    const engine = engineWith();
    subscribe(engine, 'ten_a', ['sub_1']);
    void take(engine, 'ten_a');
    await clock.advanceAsync(SLOW_MS - 1);
    expect(aside).toEqual([]);
    await clock.advanceAsync(1);
    expect(aside).toEqual([0]);
  });

  it('are set aside also where they have other targets, and not where none is slow', async () => {
    const engine = engineWith();
    subscribe(engine, 'ten_a', ['sub_ok', 'sub_1']);
    subscribe(engine, 'ten_b', ['sub_ok1', 'sub_ok2']);
    void take(engine, 'ten_a');
    await take(engine, 'ten_b');
    await clock.advanceAsync(SLOW_MS);
    expect(aside).toEqual([0]);
  });

  it('are set aside as far as there are places for slow attempts, and the next when one is free again', async () => {
    const engine = engineWith({ slowConcurrency: 2 });
    subscribe(engine, 'ten_a', ['sub_1']);
    for (let n = 0; n < 3; n++) void take(engine, 'ten_a');
    await clock.advanceAsync(SLOW_MS);
    expect(aside).toEqual([0, 1]);
    ends[0]?.({ status: 204, durationMs: SLOW_MS });
    await clock.advanceAsync(0);
    expect(aside).toEqual([0, 1, 2]);
  });

  it('no longer count in the share of their tenant', async () => {
    const engine = engineWith({ heldEvents: 20, endpointConcurrency: 12, startConcurrency: 12 });
    subscribe(engine, 'ten_a', ['sub_1']);
    subscribe(engine, 'ten_b', ['sub_2']);
    subscribe(engine, 'ten_a', ['sub_3'], { types: ['b'], maxInFlight: 1 });
    subscribe(engine, 'ten_b', ['sub_4'], { types: ['b'] });
    const held = Array.from({ length: 12 }, () => take(engine, 'ten_a'));
    void take(engine, 'ten_b');
    void take(engine, 'ten_a');
    await clock.advanceAsync(0);
    // More than its share: what finds no room does not wait.
    expect(inLane()).toEqual(['sub_1']);
    await clock.advanceAsync(SLOW_MS);
    expect(aside).toHaveLength(13);
    void take(engine, 'ten_b', 'b');
    for (let n = 0; n < 4; n++) void take(engine, 'ten_a', 'b');
    await clock.advanceAsync(0);
    // Three of these wait.
    expect(inLane()).toEqual(['sub_1']);

    for (const end of ends.slice(0, 13)) end({ status: 204, durationMs: SLOW_MS });
    await Promise.all(held);
    // None has left its share twice: it is over it with the eleventh, as before.
    for (let n = 0; n < 8; n++) void take(engine, 'ten_a', 'b');
    await clock.advanceAsync(0);
    expect(inLane()).toEqual(['sub_1', 'sub_3', 'sub_3']);
  });
});
