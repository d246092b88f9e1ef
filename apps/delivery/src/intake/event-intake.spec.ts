import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DeliveryConfig } from '@hookline/config';
import {
  decodeOutcome,
  decodeWideHeaders,
  encodeEventHeaders,
  encodeWideHeaders,
  TOPICS,
  type WideDelivery,
} from '@hookline/contracts';
import { CompletionTracker } from '@hookline/domain';
import type { SendRequest, SendResult } from '@hookline/http-delivery';
import { NotDurable, type Assignment, type LogRecord, type OutgoingRecord } from '@hookline/kafka';
import { Metrics } from '@hookline/platform';
import { TestClock } from '@hookline/testing';
import { NotOwner } from '../delivery.js';
import type { DeliveryEngine } from '../engine.js';
import type { Handover } from '../handover/handover.js';
import { subscriptionRecord } from '../testing/guests.js';
import { testEngine } from '../testing/test-engine.js';
import { WideHandover } from './wide-handover.js';

let clock: TestClock;
let metrics: Metrics;
let sent: SendRequest[];
let written: OutgoingRecord[];
let answer: (request: SendRequest) => Promise<SendResult>;
let refuses: (record: OutgoingRecord) => boolean;
let owner: boolean;
let tracker: CompletionTracker;
let offset: number;

beforeEach(() => {
  clock = new TestClock();
  sent = [];
  written = [];
  answer = async () => ({ status: 204, durationMs: 1 });
  refuses = () => false;
  owner = true;
  tracker = new CompletionTracker(0);
  offset = 0;
});

function engineWith(settings: Partial<DeliveryConfig> = {}, ownsSubscription?: () => boolean): DeliveryEngine {
  metrics = new Metrics('delivery');
  return testEngine({
    metrics,
    settings: { retryJitterPercent: 0, ...settings },
    client: {
      send: async (request) => {
        sent.push(request);
        return answer(request);
      },
    },
    output: {
      produce: async (record) => {
        if (refuses(record)) throw new NotDurable('refused', 'by the test');
        written.push(record);
        return { partition: 0, offset: written.length };
      },
    },
    clock,
    isOwner: () => owner,
    ...(ownsSubscription && { ownsSubscription }),
    lanePartitionOf: (id) => Number(id.at(-1)) % 2,
  });
}

function subscribe(engine: DeliveryEngine, ids: readonly string[], tenant = 'ten_a'): void {
  for (const id of ids) engine.targets.apply(id, subscriptionRecord({ id, tenant }));
}

function record(topic: string, headers: LogRecord['headers']): LogRecord {
  const partsOf: Assignment['partsOf'] = (of, parts) => tracker.parts(of, parts);
  tracker.begin(offset);
  return {
    assignment: { topic, partition: 0, signal: new AbortController().signal, partsOf, setAside: () => undefined },
    topic,
    partition: 0,
    offset: offset++,
    timestamp: clock.now(),
    key: null,
    value: Buffer.from('{"a": 1.0}'),
    headers,
    done: false,
  };
}

const eventOf = (tenant = 'ten_a') => ({ tenant, id: `e${offset}`, type: 'a', time: '2026-01-01T00:00:00Z' });
const eventRecord = (tenant?: string): LogRecord => record(TOPICS.events, encodeEventHeaders(eventOf(tenant)));
const idsOf = (count: number): string[] => Array.from({ length: count }, (_, n) => `sub_${n}`);
const inLane = (): OutgoingRecord[] => written.filter(({ topic }) => topic === TOPICS.deliveries);
const listed = ({ headers = {} }: OutgoingRecord): readonly string[] => decodeWideHeaders(headers).subscriptionIds;

describe('an event that matches very many', () => {
  it('is handed over in as few records as they take, each for one partition, and names all it matched', async () => {
    const engine = engineWith();
    const ids = idsOf(10_001);
    subscribe(engine, ids);
    const event = eventRecord();
    await engine.events.handler([event])[0];
    expect(inLane().map(({ partition }) => partition)).toEqual([...Array(6).fill(0), ...Array(5).fill(1)]);
    for (const piece of inLane()) {
      expect(listed(piece).length).toBeLessThanOrEqual(1_000);
      expect(listed(piece).every((id) => Number(id.at(-1)) % 2 === piece.partition)).toBe(true);
      expect(piece.value).toBe(event.value);
    }
    expect(inLane().flatMap(listed).sort()).toEqual(ids.toSorted());
    const outcomes = written.filter(({ topic }) => topic === TOPICS.attempts).map(({ value }) => decodeOutcome(value));
    expect(outcomes.map(({ matched }) => matched?.length)).toEqual([10_000, 1]);
    expect(new Set(outcomes.flatMap(({ matched = [] }) => matched)).size).toBe(10_001);
    expect(sent).toEqual([]);
  });

  it('is handed over again only in the pieces that were not durable', async () => {
    const engine = engineWith({ directFanOut: 2 });
    subscribe(engine, idsOf(10));
    refuses = ({ topic, partition }) => topic === TOPICS.deliveries && partition === 1;
    const event = eventRecord();
    await expect(engine.events.handler([event])[0]).rejects.toThrow(NotDurable);
    // What is committed meanwhile is what the next owner goes on from.
    tracker = new CompletionTracker(tracker.watermark, tracker.completeAbove(), tracker.remainders());
    tracker.begin(event.offset);
    refuses = () => false;
    const next = engineWith({ directFanOut: 2 });
    subscribe(next, idsOf(10).toReversed());
    await next.events.handler([{ ...event, assignment: { ...event.assignment } }])[0];
    expect(inLane().map(({ partition }) => partition)).toEqual([0, 1]);
    expect(inLane().flatMap(listed).sort()).toEqual(idsOf(10));
  });

  it('is divided once for all that match the same, and anew where they do not', async () => {
    const engine = engineWith();
    subscribe(engine, idsOf(3));
    const match = () => engine.targets.match('ten_a', 'a', 0, 0);
    const divided = jest.fn((id: string) => Number(id.at(-1)));
    const wide = new WideHandover({} as Handover, clock, () => true, divided);
    const first = wide.match(eventOf(), match());
    expect(wide.match(eventOf(), match())).toBe(first);
    expect(divided).toHaveBeenCalledTimes(3);
    subscribe(engine, ['sub_1']);
    expect(wide.match(eventOf(), match()).pieces).toEqual(first.pieces);
    expect(divided).toHaveBeenCalledTimes(6);
    for (let n = 0; n < 20; n++) wide.match({ ...eventOf(), type: `t${n}` }, match());
    wide.match(eventOf(), match());
    expect(divided).toHaveBeenCalledTimes(6 + 21 * 3);
  });

  it('is not handed over by a worker that the group has given up', async () => {
    const engine = engineWith({ directFanOut: 2 });
    subscribe(engine, idsOf(10));
    owner = false;
    await expect(engine.events.handler([eventRecord()])[0]).rejects.toThrow(NotOwner);
    expect(written).toEqual([]);
  });
});

describe('a record that stands for many', () => {
  const wideRecord = (subscriptionIds: readonly string[]): LogRecord => {
    const source: WideDelivery['source'] = { partition: 1, offset: 5, at: clock.now() };
    return record(
      TOPICS.deliveries,
      encodeWideHeaders({ event: eventOf(), source, windowStart: clock.now(), subscriptionIds }),
    );
  };

  it('is complete when each of its deliveries is, and tried again for those that are not', async () => {
    const engine = engineWith();
    subscribe(engine, idsOf(100));
    refuses = ({ value }) => String(value).includes('"subscriptionId":"sub_42"');
    const wide = wideRecord(idsOf(100));
    await expect(engine.lanes.handler([wide])[0]).rejects.toThrow(NotDurable);
    expect(sent).toHaveLength(100);
    expect(sent.every(({ body }) => body === wide.value)).toBe(true);
    refuses = () => false;
    await engine.lanes.handler([wide])[0];
    expect(sent.slice(100).map(({ endpoint }) => endpoint.url)).toEqual(['https://sub-42.example.com/']);
  });

  it('goes on as a record of its own where one can not go now, in the window that has begun', async () => {
    const engine = engineWith();
    subscribe(engine, idsOf(3));
    answer = async ({ endpoint }) => ({ status: endpoint.url.includes('sub-1.') ? 500 : 204, durationMs: 1 });
    const wide = wideRecord(idsOf(3));
    const window = String(clock.now());
    clock.advance(1_000);
    await engine.lanes.handler([wide])[0];
    const retried = written.filter(({ topic }) => topic.startsWith('hookline.retry.'));
    expect(retried.map(({ headers }) => headers)).toMatchObject([{ subscription: 'sub_1', attempts: '1', window }]);
    expect(retried[0]?.value).toBe(wide.value);
  });

  it('has no more deliveries under way than a worker holds', async () => {
    const engine = engineWith({ laneHeldRecords: 8 });
    subscribe(engine, idsOf(40));
    const ends: (() => void)[] = [];
    answer = () => new Promise((resolve) => ends.push(() => resolve({ status: 204, durationMs: 1 })));
    const all = engine.lanes.handler([wideRecord(idsOf(40))])[0];
    let most = 0;
    for (let done = 0; done < 40; done++) {
      while (ends.length === 0) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, ends.length);
      ends.shift()?.();
    }
    await all;
    expect([most, sent.length]).toEqual([8, 40]);
  });
});

describe('an event that finds its endpoint full', () => {
  /** One is attempted, three wait, and what comes then. */
  async function overflow(ownsSubscription: () => boolean): Promise<string[]> {
    const limits = { endpointQueue: 3, endpointConcurrency: 2, startConcurrency: 1 };
    const engine = engineWith(limits, ownsSubscription);
    subscribe(engine, ['sub_1']);
    answer = () => new Promise(() => undefined);
    for (let n = 0; n < 5; n++) void engine.events.handler([eventRecord()])[0];
    await new Promise((resolve) => setImmediate(resolve));
    return written.filter(({ topic }) => topic !== TOPICS.attempts).map(({ topic }) => topic);
  }

  it('is put off at once where its owner is this worker, whose lane would only put it off', async () =>
    expect(await overflow(() => true)).toEqual(['hookline.retry.5s']));

  it('goes to the lane where its owner is another, which may have room', async () =>
    expect(await overflow(() => false)).toEqual([TOPICS.deliveries]));
});

describe('a tenant with more than its share of the held events', () => {
  it('waits for no room: its events go to the lane at once, and those of the others wait', async () => {
    const engine = engineWith({ heldEvents: 20, endpointConcurrency: 1, startConcurrency: 1 });
    subscribe(engine, ['sub_1'], 'ten_a');
    subscribe(engine, ['sub_2'], 'ten_b');
    answer = () => new Promise(() => undefined);
    const take = (tenant: string, events: number): void => {
      for (let n = 0; n < events; n++) void engine.events.handler([eventRecord(tenant)])[0];
    };
    take('ten_a', 10);
    take('ten_b', 2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(inLane()).toEqual([]);
    take('ten_a', 3);
    take('ten_b', 3);
    await new Promise((resolve) => setImmediate(resolve));
    expect(inLane().map(({ key }) => key)).toEqual(['sub_1', 'sub_1', 'sub_1']);
    expect(await metrics.text()).toMatch(/^hookline_deferrals_total\{[^}]*reason="share"[^}]*\} 3$/m);
  });
});
