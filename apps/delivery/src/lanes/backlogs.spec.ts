import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  markUncounted,
  retryTopic,
  TOPICS,
  type DeliveryEnvelope,
  type OutcomeRecord,
  type SubscriptionRecord,
} from '@hookline/contracts';
import type { Assignment, LogRecord, RestoredProgress } from '@hookline/kafka';
import { TestClock } from '@hookline/testing';
import { Targets } from '../subscriptions/targets.js';
import { subscriptionRecord, testSealer } from '../testing/guests.js';
import { Backlogs } from './backlogs.js';
import type { Waiting } from './owned-backlog.js';

const TIER = retryTopic(5_000);
const LANES = [TOPICS.deliveries, TOPICS.replays, TIER];
const MOST = 10;

let clock: TestClock;
let targets: Targets;
let told: OutcomeRecord['backlog'][];
let fails: boolean;
let backlogs: Backlogs;
let offsets: Map<string, number>;

beforeEach(() => {
  clock = new TestClock();
  told = [];
  fails = false;
  offsets = new Map();
  targets = new Targets(testSealer, (target) => backlogs.changed(target));
  const tell = async (_event: unknown, _source: unknown, backlog: NonNullable<OutcomeRecord['backlog']>) => {
    if (fails) throw new Error('by the test');
    told.push(backlog);
  };
  backlogs = new Backlogs(MOST, { targets, lanePartitionOf: () => 0, shareOf: () => undefined, tell }, clock);
  backlogs.expect(LANES);
});

const assignmentOf = (topic: string): Assignment => ({ topic, partition: 0 }) as Assignment;

/** @param unread records that former owners have left in the tier */
function assign(unread = 0): void {
  for (const lane of LANES) {
    const end = lane === TIER ? unread : lane === TOPICS.replays ? 1_000_000 : 0;
    const progress: RestoredProgress = {
      watermark: 0,
      start: 0,
      end,
      completeTo: 0,
      isFirst: true,
      isComplete: () => false,
    };
    backlogs.assigned(lane, assignmentOf(lane), progress);
    offsets.set(lane, 0);
  }
}

function apply(change: Partial<SubscriptionRecord>): void {
  targets.apply('sub_a', subscriptionRecord(change));
}

function envelopeOf(change: Partial<DeliveryEnvelope> = {}): DeliveryEnvelope {
  const event = { tenant: 'ten_a', id: 'e', type: 't', time: '' };
  const source = { partition: 0, offset: 0, at: 0 };
  return { event, source, subscriptionId: 'sub_a', deliveryId: '', attempts: 0, history: [], ...change };
}

function read(topic: string, change: Partial<DeliveryEnvelope> = {}, headers: LogRecord['headers'] = {}): Waiting {
  const offset = offsets.get(topic) ?? 0;
  offsets.set(topic, offset + 1);
  return backlogs.enter({ topic, partition: 0, offset, headers } as LogRecord, envelopeOf(change));
}

/** It is written to the tier; or it ends. */
async function end(waiting: Waiting, goesAway = false, change: Partial<DeliveryEnvelope> = {}): Promise<void> {
  if (goesAway) waiting.goesAway();
  await backlogs.left(waiting, 0, envelopeOf(change));
}

async function putOff(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await end(read(TOPICS.deliveries), true);
}

const full = (version: number) => ({ subscriptionId: 'sub_a', version, is: 'full' });
const low = (version: number) => ({ subscriptionId: 'sub_a', version, is: 'low' });

describe('what waits for a subscription', () => {
  it('is told of once for each version when it is too much, however often it turns round', async () => {
    assign();
    apply({});
    await putOff(MOST);
    expect(told).toEqual([]);
    await putOff(1);
    for (let n = 0; n < 3 * MOST; n++) await end(read(TIER), true);
    expect(told).toEqual([full(1)]);
    apply({ version: 2 });
    await end(read(TIER), true);
    expect(told).toEqual([full(1), full(2)]);
  });

  it('is told of once more when there is little of it again, below half', async () => {
    assign();
    apply({});
    await putOff(MOST + 1);
    apply({ version: 2, heldBack: true });
    for (let n = MOST; n >= MOST / 2; n--) await end(read(TIER));
    expect(told).toEqual([full(1)]);
    for (let n = 0; n < 3; n++) await end(read(TIER));
    expect(told).toEqual([full(1), low(2)]);
  });

  it('counts in memory as in the tiers, and once where its record is given again', async () => {
    assign();
    apply({});
    const here = Array.from({ length: MOST }, () => read(TOPICS.deliveries));
    for (let n = 0; n < 5; n++) {
      const again = read(TOPICS.deliveries);
      again.goesAway();
      again.comesAgain();
    }
    await end(read(TOPICS.deliveries));
    expect(told).toEqual([]);
    await end(read(TOPICS.deliveries), true);
    expect(told).toEqual([full(1)]);
    for (const each of here) await end(each);
  });

  it('counts what was put off straight from the log, and does not take it for its own that is back', async () => {
    assign();
    apply({});
    await putOff(2);
    for (let n = 2; n < MOST; n++) await end(read(TIER, {}, markUncounted({})), true);
    for (let n = 0; n < 2; n++) await end(read(TIER), true);
    expect(told).toEqual([]);
    await end(read(TIER, {}, markUncounted({})), true);
    expect(told).toEqual([full(1)]);
  });

  it('does not count what replays bring', async () => {
    assign();
    apply({});
    for (let n = 0; n < 3 * MOST; n++) await end(read(TOPICS.replays, { replayId: 'rpl_a' }), true);
    expect(told).toEqual([]);
  });

  it('is told of again where that could not be written', async () => {
    assign();
    apply({});
    fails = true;
    await putOff(MOST + 1);
    fails = false;
    await putOff(1);
    expect(told).toEqual([full(1)]);
  });

  it('is not told of while the subscription is paused', async () => {
    assign();
    apply({ status: 'paused' });
    await putOff(MOST + 1);
    apply({ version: 2, status: 'paused', heldBack: true });
    await clock.advanceAsync(60_000);
    expect(told).toEqual([]);
  });
});

describe('a new owner', () => {
  it('does not say that little waits while it has not read what others have left, of whomever it is', async () => {
    assign(MOST);
    apply({ version: 2, heldBack: true });
    await clock.advanceAsync(60_000);
    expect(told).toEqual([]);
    const others = Array.from({ length: MOST }, () => read(TIER, { subscriptionId: 'sub_b' }));
    await clock.advanceAsync(5_000);
    expect(told).toEqual([low(2)]);
    for (const each of others) await end(each, false, { subscriptionId: 'sub_b' });
  });

  it('says so also where nothing is left of it; one that owns nothing of it does not, and a stopped one neither', async () => {
    apply({ version: 2, heldBack: true });
    await clock.advanceAsync(60_000);
    expect(told).toEqual([]);
    assign();
    await clock.advanceAsync(5_000);
    expect(told).toEqual([low(2)]);
    backlogs.close();
    apply({ version: 3, heldBack: true });
    expect(clock.pending).toBe(0);
  });

  it('counts what it reads, as what has been there since before', async () => {
    assign(MOST + 1);
    apply({});
    for (let n = 0; n <= MOST; n++) await end(read(TIER), true);
    expect(told).toEqual([full(1)]);
    backlogs.revoked(assignmentOf(TIER));
    apply({ version: 2 });
    await putOff(MOST);
    expect(told).toEqual([full(1)]);
  });
});
