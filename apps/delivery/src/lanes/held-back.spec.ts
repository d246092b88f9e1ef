import { describe, expect, it } from '@jest/globals';
import {
  decodeOutcome,
  encodeEventHeaders,
  retryDelayOf,
  retryTopic,
  TOPICS,
  type OutcomeRecord,
  type SubscriptionRecord,
} from '@hookline/contracts';
import type { OutgoingRecord } from '@hookline/kafka';
import { TestClock } from '@hookline/testing';
import type { DeliveryEngine } from '../engine.js';
import { EngineLog } from '../testing/engine-log.js';
import { subscriptionRecord } from '../testing/guests.js';
import { testEngine } from '../testing/test-engine.js';

const DELAYS_MS = [5_000, 60_000, 600_000];
const LANES = [TOPICS.deliveries, TOPICS.replays, ...DELAYS_MS.map(retryTopic)];
const BACKLOG = 50;
const OUTSTANDING = 300;
const KEYS = 5;
const DEAD = 12;
const WINDOW_MS = 12 * 3_600_000;
const HELD_UP_MINUTES = 15 * 60;

/** A worker that owns all, with what the recorder and the publisher make of its word. */
class World {
  readonly clock = new TestClock();
  /** Event ids by subscription, as their endpoints took them. */
  readonly taken = new Map<string, string[]>();
  readonly words: NonNullable<OutcomeRecord['backlog']>[] = [];
  readonly outcomes: OutcomeRecord[] = [];
  readonly engine: DeliveryEngine;
  readonly logs = new Map<string, EngineLog>();
  isDown = true;
  /** Whether anybody hears what the worker says. */
  isHeard = true;
  private readonly records = new Map<string, SubscriptionRecord>();
  private published = 0;

  constructor(attemptMs = 1) {
    const { clock } = this;
    this.engine = testEngine({
      settings: {
        ...{ subscriptionBacklog: BACKLOG, orderedOutstanding: OUTSTANDING, retryDelaysMs: DELAYS_MS },
        ...{ retryJitterPercent: 0, windowMs: WINDOW_MS },
      },
      client: {
        send: async ({ endpoint, headers }) => {
          await new Promise<void>((resolve) => clock.after(attemptMs, resolve));
          const id = new URL(endpoint.url).hostname.replace(/\..*$/, '').replace('-', '_');
          if (id.startsWith('sub_dead') && this.isDown) return { error: 'timeout', durationMs: attemptMs };
          const taken = this.taken.get(id) ?? [];
          this.taken.set(id, taken);
          taken.push(String(headers[headers.indexOf('hookline-event-id') + 1]));
          return { status: 204, durationMs: attemptMs };
        },
      },
      output: { produce: async (record) => ({ partition: 0, offset: this.write(record) }) },
      clock,
    });
    this.engine.lanes.expect(LANES);
    this.logs.set(TOPICS.events, new EngineLog(TOPICS.events, 1_000, clock, this.engine.events.handler));
    for (const lane of LANES) {
      const log = new EngineLog(lane, 1_000, clock, this.engine.lanes.handler);
      this.logs.set(lane, log);
      const progress = { watermark: 0, start: 0, end: 0, completeTo: 0, isFirst: true, isComplete: () => false };
      this.engine.lanes.assigned(lane, log.assignment, progress);
    }
  }

  subscribe(id: string, change: Partial<SubscriptionRecord> = {}): void {
    const last = this.records.get(id);
    const version = (last?.version ?? 0) + 1;
    const record = { ...subscriptionRecord({ id, ordering: 'key' }), ...last, ...change, version };
    this.records.set(id, record);
    this.engine.targets.apply(id, record);
  }

  publish(count: number): void {
    for (let n = 0; n < count; n++) {
      const id = this.published++;
      const event = { tenant: 'ten_a', id: `${id}`, type: 'a', time: '2026-01-01T00:00:00Z', key: `k${id % KEYS}` };
      this.log(TOPICS.events).append({ value: Buffer.from('{}'), headers: encodeEventHeaders(event) });
    }
  }

  /** Some events every minute. */
  async minutes(count: number, events = 20): Promise<void> {
    for (let n = 0; n < count; n++) {
      this.publish(events);
      await this.clock.advanceAsync(60_000);
    }
  }

  matched(id: string): string[] {
    return this.outcomes.filter(({ matched }) => matched?.includes(id)).map(({ eventId }) => eventId);
  }

  log(topic: string): EngineLog {
    return this.logs.get(topic) as EngineLog;
  }

  private write(record: OutgoingRecord): number {
    const { topic, value } = record;
    if (topic === TOPICS.attempts) {
      const outcome = decodeOutcome(value as Buffer);
      this.outcomes.push(outcome);
      if (outcome.backlog !== undefined) this.hear(outcome.backlog);
      return 0;
    }
    return topic === TOPICS.deliveries || retryDelayOf(topic) !== undefined ? this.log(topic).append(record) : 0;
  }

  private hear(word: NonNullable<OutcomeRecord['backlog']>): void {
    this.words.push(word);
    const record = this.records.get(word.subscriptionId);
    if (!this.isHeard || record?.version !== word.version) return;
    const { heldBack: _, ...rest } = record;
    this.records.set(word.subscriptionId, rest);
    const holdsFrom = { '0': this.log(TOPICS.events).size };
    this.clock.after(1_000, () =>
      this.subscribe(word.subscriptionId, { holdsFrom, ...(word.is === 'full' ? { heldBack: true } : {}) }),
    );
  }
}

const inOrder = (ids: readonly string[]): boolean => {
  const last = new Map<number, number>();
  return ids.every((id) => {
    const before = last.get(Number(id) % KEYS) ?? -1;
    last.set(Number(id) % KEYS, Number(id));
    return Number(id) > before;
  });
};

describe('An ordered subscription with a dead endpoint', () => {
  it('is held back in the log, and does not stop the others of its lane; when it is back it goes on, in order', async () => {
    const world = new World();
    world.subscribe('sub_dead');
    world.subscribe('sub_well');
    await world.minutes(60);
    expect(world.words).toEqual([{ subscriptionId: 'sub_dead', version: 1, is: 'full' }]);
    const waiting = world.matched('sub_dead').length;
    expect(waiting).toBeGreaterThan(BACKLOG);
    expect(waiting).toBeLessThan(2 * BACKLOG);
    expect(world.taken.get('sub_well')).toHaveLength(60 * 20);
    expect(world.engine.ordered.isFull).toBe(false);

    world.isDown = false;
    await world.minutes(60);
    await world.minutes(30, 0);
    expect(world.words.slice(1)).toEqual([{ subscriptionId: 'sub_dead', version: 2, is: 'low' }]);
    const matched = world.matched('sub_dead');
    expect(matched.length).toBeGreaterThan(waiting);
    expect(world.taken.get('sub_dead')).toHaveLength(matched.length);
    expect(new Set(world.taken.get('sub_dead'))).toEqual(new Set(matched));
    expect(inOrder(world.taken.get('sub_dead') ?? [])).toBe(true);
  });

  it('is told of again by the next version while nobody has heard, and its deliveries go round as before', async () => {
    const world = new World();
    world.isHeard = false;
    world.subscribe('sub_dead');
    await world.minutes(10);
    world.subscribe('sub_dead');
    await world.minutes(2);
    expect(world.words.map(({ version, is }) => `${version} ${is}`)).toEqual(['1 full', '2 full']);
    world.isDown = false;
    await world.minutes(40, 0);
    expect(new Set(world.taken.get('sub_dead'))).toEqual(new Set(world.matched('sub_dead')));
    expect(world.matched('sub_dead')).toHaveLength(12 * 20);
  });
});

describe('More than ten dead ordered subscriptions in one lane partition', () => {
  it('are held back before they fill it, each above its share; a healthy one gets all, and they go on when they are back', async () => {
    const world = new World();
    const dead = Array.from({ length: DEAD }, (_, n) => `sub_dead${n}`);
    for (const id of [...dead, 'sub_well']) world.subscribe(id);
    for (let minute = 0; minute < 60; minute++) {
      await world.minutes(1, 2);
      expect(world.engine.ordered.isFull).toBe(false);
    }
    await world.minutes(1, 0);
    expect(world.taken.get('sub_well')).toHaveLength(2 * 60);
    // None of them came to its own limit.
    expect(new Set(world.words.map(({ subscriptionId, is }) => `${subscriptionId} ${is}`))).toEqual(
      new Set(dead.map((id) => `${id} full`)),
    );
    for (const id of dead) expect(world.matched(id).length).toBeLessThan(BACKLOG);
    expect(world.engine.ordered.outstanding).toBeGreaterThan(OUTSTANDING / 2);

    world.isDown = false;
    await world.minutes(90, 0);
    for (const id of dead) {
      expect(world.words.filter(({ subscriptionId, is }) => subscriptionId === id && is === 'low')).toHaveLength(1);
      expect(new Set(world.taken.get(id))).toEqual(new Set(world.matched(id)));
      expect(inOrder(world.taken.get(id) ?? [])).toBe(true);
    }
  });
});

describe('A live delivery of an ordered subscription that catches up', () => {
  it('does not die of its window while it is held up, though that takes longer than a window', async () => {
    const world = new World();
    world.isDown = false;
    world.subscribe('sub_dead', { epoch: 1, catchingUp: 'rpl_a' });
    await world.minutes(3, 10);
    await world.minutes(HELD_UP_MINUTES, 0);
    expect([
      world.taken.get('sub_dead'),
      world.outcomes.some(({ delivery }) => delivery?.state === 'dead-lettered'),
    ]).toEqual([undefined, false]);
    world.engine.targets.apply(
      'sub_dead',
      subscriptionRecord({ id: 'sub_dead', ordering: 'key', version: 2, epoch: 1 }),
    );
    await world.minutes(60, 0);
    expect(world.taken.get('sub_dead')).toHaveLength(30);
    expect(inOrder(world.taken.get('sub_dead') ?? [])).toBe(true);
  });
});
