import { describe, expect, it } from '@jest/globals';
import { deliverySection, loadConfig, type DeliveryConfig } from '@hookline/config';
import {
  decodeDeadLetterHeaders,
  decodeOutcome,
  encodeEventHeaders,
  retryDelayOf,
  TOPICS,
  type DeadLetter,
} from '@hookline/contracts';
import type { OutgoingRecord } from '@hookline/kafka';
import { TestClock } from '@hookline/testing';
import type { DeliveryEngine } from './engine.js';
import { EngineLog } from './testing/engine-log.js';
import { subscriptionRecord } from './testing/guests.js';
import { testEngine } from './testing/test-engine.js';

const EVENTS = 500;
const HELD = 200;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const { delivery: settings } = loadConfig({ delivery: deliverySection }, {});
/** The longest delay, with all its jitter. */
const LONGEST_MS = Math.max(...settings.retryDelaysMs) * (1 + settings.retryJitterPercent / 100);

/** A worker that owns all, its lanes, an endpoint, and a subscription to which a backlog of events comes at once. */
class World {
  readonly clock = new TestClock();
  readonly began = this.clock.now();
  readonly logs = new Map<string, EngineLog>();
  readonly buried: { letter: DeadLetter; at: number }[] = [];
  readonly deliveredAt: number[] = [];
  /** When attempts began, by delivery. */
  readonly sent = new Map<string, number[]>();
  outcomes = 0;
  isDown = true;
  private readonly engine: DeliveryEngine;
  private readonly subscription = subscriptionRecord({});
  private readonly events: EngineLog;
  private published = 0;

  constructor(change: Partial<DeliveryConfig> = {}) {
    const { clock } = this;
    this.engine = testEngine({
      settings: { laneHeldRecords: HELD, ...change },
      client: {
        send: async ({ headers }) => {
          const id = String(headers[headers.indexOf('webhook-id') + 1]);
          this.sent.set(id, [...(this.sent.get(id) ?? []), clock.now()]);
          return this.isDown ? { error: 'timeout', durationMs: 1 } : { status: 204, durationMs: 1 };
        },
      },
      output: { produce: async (record) => ({ partition: 0, offset: this.write(record) }) },
      clock,
    });
    this.engine.targets.apply(this.subscription.id, this.subscription);
    this.events = new EngineLog(TOPICS.events, HELD, clock, this.engine.events.handler);
  }

  publish(count: number): void {
    const { tenant } = this.subscription;
    for (let n = 0; n < count; n++) {
      const event = { tenant, id: `e${this.published++}`, type: 'order.created', time: '2026-01-01T00:00:00Z' };
      this.events.append({ value: Buffer.from('{}'), headers: encodeEventHeaders(event) });
    }
  }

  async until(isOver: () => boolean, mostMs: number): Promise<void> {
    const end = this.clock.now() + mostMs;
    while (this.clock.now() < end && !isOver()) await this.clock.advanceAsync(MINUTE_MS);
    await this.clock.advanceAsync(MINUTE_MS);
  }

  /** All attempts, in their order, ms. */
  get attemptsAt(): number[] {
    return [...this.sent.values()].flat().sort((a, b) => a - b);
  }

  get laneRecords(): number {
    return [...this.logs.values()].reduce((sum, { size }) => sum + size, 0);
  }

  private write(record: OutgoingRecord): number {
    const { topic, headers = {} } = record;
    if (topic === TOPICS.deadLetters)
      this.buried.push({ letter: decodeDeadLetterHeaders(headers), at: this.clock.now() });
    if (topic === TOPICS.attempts) {
      this.outcomes++;
      if (decodeOutcome(record.value).delivery?.state === 'delivered') this.deliveredAt.push(this.clock.now());
    }
    if (topic !== TOPICS.deliveries && retryDelayOf(topic) === undefined) return 0;
    const log = this.logs.get(topic) ?? new EngineLog(topic, HELD, this.clock, this.engine.lanes.handler);
    this.logs.set(topic, log);
    return log.append(record);
  }
}

/** A day without an answer. */
async function deadForADay(change: Partial<DeliveryConfig> = {}): Promise<World> {
  const world = new World(change);
  world.publish(EVENTS);
  await world.until(() => world.buried.length === EVENTS, 25 * HOUR_MS);
  return world;
}

describe('an endpoint that is down for 25 hours', () => {
  it('is tried now and then, by nothing early; each delivery is dead-lettered with its history within a minute of its time', async () => {
    const { logs, buried, sent, attemptsAt } = await deadForADay();
    for (const log of logs.values()) expect(log).toMatchObject({ early: 0, open: 0 });
    expect(new Set(buried.map(({ letter }) => letter.delivery.event.id)).size).toBe(EVENTS);
    expect(buried).toHaveLength(EVENTS);
    for (const { letter, at } of buried) {
      const { windowStart = 0, history, deliveryId } = letter.delivery;
      expect(letter.reason).toBe('expired');
      expect(Math.abs(at - windowStart - settings.windowMs)).toBeLessThanOrEqual(MINUTE_MS);
      expect(history).toHaveLength(sent.get(deliveryId)?.length ?? 0);
    }
    const pauses = attemptsAt.slice(1).map((at, n) => at - (attemptsAt[n] as number));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(LONGEST_MS);
  });

  it('A broken endpoint turns its deliveries round: they cost no more records than if each were tried each time', async () => {
    const left = await deadForADay();
    const tried = await deadForADay({ breakerFailures: 1_000_000, breakerPercent: 100, breakerSample: 10_000 });
    expect(left.laneRecords).toBeLessThanOrEqual(tried.laneRecords);
    expect(left.laneRecords / EVENTS).toBeLessThan(20);
    expect(left.outcomes / EVENTS).toBeLessThan(17);
    expect(left.attemptsAt.length).toBeLessThan(tried.attemptsAt.length / 50);
  });
});

describe('an endpoint that is back after 6 hours', () => {
  it('gets what is new as soon as it is tried, and what waited when a failed attempt would have come again', async () => {
    const world = new World();
    world.publish(EVENTS);
    await world.until(() => false, 6 * HOUR_MS);
    world.isDown = false;
    const back = world.clock.now();
    world.publish(1);
    await world.until(() => world.deliveredAt.length > 0, HOUR_MS);
    expect((world.deliveredAt[0] as number) - back).toBeLessThanOrEqual(MINUTE_MS);
    await world.until(() => world.deliveredAt.length > EVENTS, 25 * HOUR_MS);
    expect(world.deliveredAt).toHaveLength(EVENTS + 1);
    expect(world.buried).toEqual([]);
    expect(Math.max(...world.deliveredAt) - back).toBeLessThanOrEqual(LONGEST_MS);
  });
});
