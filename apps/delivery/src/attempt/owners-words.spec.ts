import { describe, expect, it } from '@jest/globals';
import { deliverySection, loadConfig } from '@hookline/config';
import { TOPICS, type SubscriptionRecord } from '@hookline/contracts';
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
  /** What has been written and not been read, where they don't hear each other at once. */
  unread: (() => void)[] | undefined;
  private readonly workers: OwnersWords[] = [];

  worker(): {
    words: OwnersWords;
    subscriber: Subscriber;
    door(): Door;
    meets(verdict: 'delivered' | 'failed', times?: number): void;
  } {
    const subscriber = subscriberOf({});
    const output = { produce: (record: OutgoingRecord) => this.write(record) };
    const words: OwnersWords = new OwnersWords(output, breakerWordMs, () => this.owner === words);
    this.workers.push(words);
    const share = { workers: () => 2, isOwner: () => this.owner === words };
    const doors = new Doors(settings, share, words);
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
    return { words, subscriber, door, meets };
  }

  private async write(record: OutgoingRecord): Promise<{ partition: number; offset: number }> {
    if (this.isDown || record.mayLeave?.() === false) throw new Error('by the test');
    const { key, value, headers = {} } = record;
    this.written.push(record);
    const read = { key: Buffer.from(String(key)), value, headers, timestamp: this.now };
    const hear = (): void => this.workers.forEach((words) => words.take(read));
    if (this.unread === undefined) hear();
    else this.unread.push(hear);
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
    expect([
      owner.door().refusesEvents(fleet.now),
      owner.words.broken(fleet.now),
      other.words.broken(fleet.now),
    ]).toEqual([false, 0, 0]);
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
    expect([owner.words.broken(fleet.now), other.words.broken(fleet.now)]).toEqual([0, 0]);
    fleet.isDown = false;
    fleet.now += breakerOpenMs;
    owner.meets('failed');
    expect([owner.words.broken(fleet.now), other.words.broken(fleet.now)]).toEqual([1, 1]);
    fleet.isDown = true;
    fleet.now += breakerOpenMostMs;
    owner.meets('delivered');
    await Promise.resolve();
    expect([owner.words.broken(fleet.now), other.words.broken(fleet.now)]).toEqual([1, 1]);
    // It tries the endpoint once more, and has something to say then.
    fleet.isDown = false;
    owner.meets('delivered');
    expect([owner.words.broken(fleet.now), other.words.broken(fleet.now)]).toEqual([0, 0]);
  });

  it('A healthy endpoint that everybody believes broken: its owner tries it, and takes back what is said of it', () => {
    const { fleet, owner, other } = pair();
    owner.meets('failed', breakerFailures);
    // Its owner dies, and so does the next one before it has a door.
    const third = fleet.worker();
    fleet.owner = third.words;
    const [word] = fleet.written;
    const { key, value = null, headers = {} } = word as OutgoingRecord;
    third.words.take({ key: Buffer.from(String(key)), value, headers, timestamp: fleet.now });
    third.meets('delivered');
    expect(fleet.written.at(-1)?.value).toBeNull();
    expect([other, third].map((each) => each.door().refusesEvents(fleet.now))).toEqual([false, false]);
  });

  it('The words of two who took themselves for the owner cross: all believe what the topic says last', () => {
    const { fleet, owner, other } = pair();
    owner.meets('failed', breakerFailures);
    fleet.unread = [];
    fleet.owner = other.words;
    other.words.sayHealthy('sub_a', fleet.now);
    // It has not heard that its word was taken back when it is the owner again, and says it anew.
    fleet.owner = owner.words;
    fleet.now += breakerWordMs / 2;
    owner.words.sayBroken('sub_a', fleet.now);
    for (const hear of fleet.unread) hear();
    expect(fleet.written.map(({ value }) => value !== null)).toEqual([true, false, true]);
    expect([owner.words.broken(fleet.now), other.words.broken(fleet.now)]).toEqual([1, 1]);
    fleet.unread = [];
    owner.words.sayHealthy('sub_a', fleet.now);
    owner.words.sayBroken('sub_a', fleet.now);
    owner.words.sayHealthy('sub_a', fleet.now);
    for (const hear of fleet.unread) {
      hear();
      // What it reads of its own it has said something else about since.
      expect(owner.words.broken(fleet.now)).toBe(0);
    }
    expect(other.words.broken(fleet.now)).toBe(0);
  });

  it('A frozen owner wakes and says what is not its business any more: that does not leave', async () => {
    const { fleet, owner, other } = pair();
    owner.door();
    fleet.owner = undefined;
    owner.words.sayBroken('sub_a', fleet.now);
    await Promise.resolve();
    expect([fleet.written, owner.words.broken(fleet.now), other.words.broken(fleet.now)]).toEqual([[], 0, 0]);
  });

  it('that counts no more is taken out of the topic by whoever owns the subscription then', () => {
    const { fleet, owner, other } = pair();
    owner.meets('failed', breakerFailures);
    fleet.owner = other.words;
    fleet.now += breakerWordMs;
    other.door();
    expect(fleet.written.map(({ value }) => value !== null)).toEqual([true, false]);
    other.door();
    expect(fleet.written).toHaveLength(2);
  });

  it('does not keep the owner waiting where the subscription is changed to another endpoint, or enabled again', () => {
    const { fleet, owner } = pair();
    const changeTo = (change: Partial<SubscriptionRecord>): void => {
      owner.subscriber.current = subscriberOf(change).current;
    };
    const isTried = (): boolean => owner.door().closedMs(fleet.now) === 0;
    owner.meets('failed', breakerFailures);
    expect(isTried()).toBe(false);
    changeTo({ version: 2, maxInFlight: 3 });
    expect(isTried()).toBe(false);
    changeTo({ version: 3, maxInFlight: 3, url: 'https://another.example.com/' });
    expect(isTried()).toBe(true);
    owner.meets('failed');
    changeTo({ version: 4, maxInFlight: 3, url: 'https://another.example.com/', status: 'disabled' });
    expect(isTried()).toBe(false);
    changeTo({ version: 5, maxInFlight: 3, url: 'https://another.example.com/' });
    expect(isTried()).toBe(true);
  });
});
