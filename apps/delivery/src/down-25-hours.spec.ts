import { describe, expect, it } from '@jest/globals';
import { deliverySection, loadConfig } from '@hookline/config';
import {
  decodeDeadLetterHeaders,
  encodeEventHeaders,
  retryDelayOf,
  TOPICS,
  type DeadLetter,
} from '@hookline/contracts';
import { CompletionTracker } from '@hookline/domain';
import type { Assignment, LogRecord, OutgoingRecord } from '@hookline/kafka';
import { TestClock } from '@hookline/testing';
import type { DeliveryEngine } from './engine.js';
import { subscriptionRecord } from './testing/guests.js';
import { testEngine } from './testing/test-engine.js';

const EVENTS = 1_000;
const HELD = 200;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** One partition of a topic, stamped by the test's clock, and read as a runner does: no more than so many at a time. */
class Log {
  private readonly records: LogRecord[] = [];
  private read = 0;
  private held = 0;
  /** Records that were done with before they were due. */
  early = 0;
  private readonly assignment: Assignment;

  constructor(
    private readonly topic: string,
    private readonly clock: TestClock,
    private readonly handler: (records: readonly LogRecord[]) => readonly Promise<unknown>[],
  ) {
    const tracker = new CompletionTracker(0);
    const partsOf: Assignment['partsOf'] = (offset, parts) => tracker.parts(offset, parts);
    this.assignment = { topic, partition: 0, signal: new AbortController().signal, partsOf, setAside: () => undefined };
  }

  append({ value, headers = {} }: Pick<OutgoingRecord, 'value' | 'headers'>): number {
    const { topic, assignment } = this;
    const offset = this.records.length;
    const timestamp = this.clock.now();
    this.records.push({ assignment, topic, partition: 0, offset, timestamp, key: null, value, headers, done: false });
    setImmediate(() => this.pump());
    return offset;
  }

  get open(): number {
    return this.records.length - this.read + this.held;
  }

  private pump(): void {
    while (this.held < HELD && this.read < this.records.length) {
      this.held++;
      const record = this.records[this.read++] as LogRecord;
      void this.handler([record])[0]?.then(() => {
        this.held--;
        if (this.clock.now() < record.timestamp + (retryDelayOf(this.topic) ?? 0)) this.early++;
        this.pump();
      });
    }
  }
}

describe('an endpoint that is down for 25 hours', () => {
  it('is tried now and then, by nothing early; each delivery is dead-lettered with its history within a minute of its time', async () => {
    const clock = new TestClock();
    const began = clock.now();
    const logs = new Map<string, Log>();
    const buried: { letter: DeadLetter; at: number }[] = [];
    const sent = new Map<string, number>();
    const { delivery: settings } = loadConfig({ delivery: deliverySection }, {});
    const engine: DeliveryEngine = testEngine({
      settings: { laneHeldRecords: HELD },
      client: {
        send: async ({ headers }) => {
          const id = String(headers[headers.indexOf('webhook-id') + 1]);
          sent.set(id, (sent.get(id) ?? 0) + 1);
          return { error: 'timeout', durationMs: 1 };
        },
      },
      output: {
        produce: async (record) => {
          if (record.topic === TOPICS.deadLetters)
            buried.push({ letter: decodeDeadLetterHeaders(record.headers ?? {}), at: clock.now() });
          else if (record.topic === TOPICS.deliveries || retryDelayOf(record.topic) !== undefined)
            return { partition: 0, offset: logOf(record.topic).append(record) };
          return { partition: 0, offset: 0 };
        },
      },
      clock,
    });
    const logOf = (topic: string): Log => {
      const log = logs.get(topic) ?? new Log(topic, clock, engine.lanes.handler);
      logs.set(topic, log);
      return log;
    };
    const subscription = subscriptionRecord({});
    engine.targets.apply(subscription.id, subscription);
    const events = new Log(TOPICS.events, clock, engine.events.handler);
    for (let n = 0; n < EVENTS; n++) {
      const event = { tenant: subscription.tenant, id: `e${n}`, type: 'order.created', time: '2026-01-01T00:00:00Z' };
      events.append({ value: Buffer.from('{}'), headers: encodeEventHeaders(event) });
    }

    while (clock.now() < began + 25 * HOUR_MS && buried.length < EVENTS) await clock.advanceAsync(MINUTE_MS);
    await clock.advanceAsync(MINUTE_MS);
    for (const log of logs.values()) expect(log).toMatchObject({ early: 0, open: 0 });
    expect(sent.size).toBeGreaterThan(0);
    expect(new Set(buried.map(({ letter }) => letter.delivery.event.id)).size).toBe(EVENTS);
    expect(buried).toHaveLength(EVENTS);
    for (const { letter, at } of buried) {
      const { windowStart = 0, history, deliveryId } = letter.delivery;
      expect(letter.reason).toBe('expired');
      expect(at - windowStart).toBeLessThanOrEqual(settings.windowMs + MINUTE_MS);
      expect(history).toHaveLength(sent.get(deliveryId) ?? 0);
    }
  });
});
