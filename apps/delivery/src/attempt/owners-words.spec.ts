import { describe, expect, it } from '@jest/globals';
import { deliverySection, loadConfig } from '@hookline/config';
import { TOPICS } from '@hookline/contracts';
import type { OutgoingRecord } from '@hookline/kafka';
import type { Subscriber } from '../subscriptions/subscriber.js';
import { subscriberOf } from '../testing/guests.js';
import { Doors } from './doors.js';
import type { Door } from './door.js';
import { OwnersWords } from './owners-words.js';

const { delivery: settings } = loadConfig({ delivery: deliverySection }, {});
const { breakerFailures, breakerOpenMs, breakerOpenMostMs, breakerWordMs } = settings;

/** Workers that hear each other at once, and look at what has changed with every question. */
class Fleet {
  now = 1_000_000;
  owner: unknown;
  written: OutgoingRecord[] = [];
  isDown = false;
  private readonly workers: OwnersWords[] = [];

  worker(): { words: OwnersWords; door(): Door; meets(verdict: 'delivered' | 'failed', times?: number): void } {
    const words = new OwnersWords({ produce: (record) => this.write(record) }, breakerWordMs);
    this.workers.push(words);
    const share = { workers: () => 2, isOwner: () => this.owner === words };
    const doors = new Doors(settings, share, words);
    const subscriber: Subscriber = subscriberOf({});
    const door = (): Door => {
      this.now += 1_000;
      return doors.of(subscriber, this.now);
    };
    const meets = (verdict: 'delivered' | 'failed', times = 1): void => {
      for (let n = 0; n < times; n++) {
        const used = door();
        const { breaker } = used;
        used.usedAt = this.now;
        breaker.admits(this.now);
        const turned = verdict === 'failed' ? breaker.failed(this.now) : breaker.succeeded(this.now);
        if (turned) doors.turned(used, this.now);
      }
    };
    return { words, door, meets };
  }

  private async write(record: OutgoingRecord): Promise<{ partition: number; offset: number }> {
    if (this.isDown) throw new Error('by the test');
    const { key, value, headers = {} } = record;
    this.written.push(record);
    const read = { key: Buffer.from(String(key)), value, headers, timestamp: this.now };
    for (const words of this.workers) words.take(read);
    return { partition: 0, offset: this.written.length };
  }
}

const pair = () => {
  const fleet = new Fleet();
  const [owner, other] = [fleet.worker(), fleet.worker()];
  fleet.owner = owner.words;
  return { fleet, owner, other };
};

describe('what an owner says', () => {
  it('is written when its breaker opens and closes, and not in between', async () => {
    const { fleet, owner } = pair();
    owner.meets('failed', breakerFailures - 1);
    expect(fleet.written).toEqual([]);
    owner.meets('failed', 4);
    owner.meets('delivered', 3);
    expect(fleet.written.map(({ topic, key, value }) => [topic, key, value === null])).toEqual([
      [TOPICS.progress, 'endpoint:sub_a', false],
      [TOPICS.progress, 'endpoint:sub_a', true],
    ]);
  });

  it('keeps the others from sending until the endpoint is back, however long that takes', () => {
    const { fleet, owner, other } = pair();
    expect(other.door().refusesEvents(fleet.now)).toBe(false);
    owner.meets('failed', breakerFailures);
    for (let n = 0; n < 10; n++) {
      fleet.now += 10 * breakerOpenMostMs;
      owner.meets('failed');
      expect([other.door().refusesEvents(fleet.now), other.door().hindrance(fleet.now)]).toEqual([true, 'breaker']);
    }
    for (let passed = 0; passed < breakerOpenMostMs; passed += 30_000) {
      fleet.now += 30_000;
      expect(other.door().refusesEvents(fleet.now)).toBe(true);
    }
    owner.meets('delivered');
    expect([other.door().refusesEvents(fleet.now), other.door().limit.current]).toEqual([false, 1]);
  });

  it('ends what another has found by itself', () => {
    const { fleet, owner, other } = pair();
    other.meets('failed', breakerFailures);
    owner.meets('failed', breakerFailures);
    expect(other.door().refusesEvents(fleet.now)).toBe(true);
    fleet.now += breakerOpenMs;
    owner.meets('delivered');
    expect([other.door().refusesEvents(fleet.now), other.door().breaker.state]).toEqual([false, 'closed']);
  });

  it('where it says nothing, another begins with one attempt after the longest time that an endpoint is left alone', () => {
    const { fleet, other } = pair();
    other.meets('failed', breakerFailures);
    const closedMs = other.door().closedMs(fleet.now);
    expect(closedMs).toBeGreaterThan(breakerOpenMostMs - 5_000);
    fleet.now += closedMs - 1_001;
    expect(other.door().refusesEvents(fleet.now)).toBe(true);
    expect(other.door().refusesEvents(fleet.now)).toBe(false);
    other.door().breaker.admits(fleet.now);
    expect(other.door().refusesEvents(fleet.now)).toBe(true);
    expect(fleet.written).toEqual([]);
  });

  it('lets the next owner begin with one attempt, and end it', () => {
    const { fleet, owner, other } = pair();
    other.meets('failed', breakerFailures);
    owner.meets('failed', breakerFailures);
    expect(other.door().refusesEvents(fleet.now)).toBe(true);
    fleet.owner = other.words;
    // Also where it had found it broken by itself, and would have waited for long.
    expect([other.door().refusesEvents(fleet.now), other.door().breaker.state]).toEqual([false, 'open']);
    other.door().breaker.admits(fleet.now);
    expect(other.door().closedMs(fleet.now)).toBe(breakerOpenMs);
    expect(owner.door().refusesEvents(fleet.now)).toBe(true);
    other.meets('delivered');
    expect([owner.door().refusesEvents(fleet.now), owner.words.size, other.words.size]).toEqual([false, 0, 0]);
  });

  it('is known to a worker that starts later', () => {
    const { fleet, owner } = pair();
    owner.meets('failed', breakerFailures);
    const [record] = fleet.written;
    const late = fleet.worker();
    late.words.take({
      key: Buffer.from(String(record?.key)),
      value: record?.value ?? null,
      headers: record?.headers ?? {},
      timestamp: fleet.now,
    });
    expect(late.door().refusesEvents(fleet.now)).toBe(true);
  });

  it('A stale word blocks for ever: it counts for a while only, then others begin with one attempt', () => {
    const { fleet, owner, other } = pair();
    owner.meets('failed', breakerFailures);
    fleet.now += breakerWordMs - 10_000;
    expect(other.door().refusesEvents(fleet.now)).toBe(true);
    fleet.now += 10_000;
    expect([other.door().refusesEvents(fleet.now), other.door().breaker.state]).toEqual([false, 'open']);
  });

  it('is repeated for as long as its attempts fail, though not each time', () => {
    const { fleet, owner, other } = pair();
    owner.meets('failed', breakerFailures);
    const hours = 5;
    for (let passed = 0; passed < hours * breakerWordMs; passed += breakerOpenMostMs) {
      fleet.now += breakerOpenMostMs;
      owner.meets('failed');
      expect(other.door().refusesEvents(fleet.now)).toBe(true);
    }
    expect(fleet.written.length).toBeGreaterThan(hours);
    expect(fleet.written.length).toBeLessThanOrEqual(2 * hours + 1);
  });

  it('is said anew where it could not be written', async () => {
    const { fleet, owner, other } = pair();
    fleet.isDown = true;
    owner.meets('failed', breakerFailures);
    await Promise.resolve();
    expect([owner.words.size, other.words.size]).toEqual([0, 0]);
    fleet.isDown = false;
    fleet.now += breakerOpenMs;
    owner.meets('failed');
    expect([owner.words.size, other.words.size]).toEqual([1, 1]);
    fleet.isDown = true;
    fleet.now += breakerOpenMostMs;
    owner.meets('delivered');
    await Promise.resolve();
    expect([owner.words.size, other.words.size]).toEqual([1, 1]);
    // It tries the endpoint once more, and has something to say then.
    fleet.isDown = false;
    owner.meets('delivered');
    expect([owner.words.size, other.words.size]).toEqual([0, 0]);
  });

  it('of a subscription that is deleted is taken back', () => {
    const { fleet, owner } = pair();
    owner.meets('failed', breakerFailures);
    const { subscriber } = owner.door();
    const { current } = subscriberOf({ status: 'deleted', version: 2 });
    subscriber.current = current;
    owner.door();
    owner.door();
    expect([owner.words.size, fleet.written.at(-1)?.value]).toEqual([0, null]);
  });
});
