import { describe, expect, it } from '@jest/globals';
import type { SubscriptionRecord } from '@hookline/contracts';
import { isCaughtUp, LateLearners, SLICE_PATIENCE_MS } from './late-learners.js';
import { Matching, type Subscribed } from './matching.js';

const KNOWN_MS = 12_000;
const MADE_AT = 1_000_000;

function subscribed(change: Partial<SubscriptionRecord> = {}): Subscribed {
  const matching = new Matching();
  const record: SubscriptionRecord = {
    ...{ v: 1, version: 1, id: 'sub_a', tenant: 'ten_a', url: '', types: ['*'], status: 'enabled', sealed: '' },
    holdsFrom: { 0: 100 },
    ...change,
  };
  matching.update([{ record, at: new Date(MADE_AT) }]);
  return matching.at(0);
}

function isDue(at: number, now: number, isHistoryBehind = false): boolean {
  const late = new LateLearners({ knownAfterMs: KNOWN_MS, now, isHistoryBehind }, () => undefined);
  return late.isDue(subscribed(), 0, 100, at);
}

describe('what a late learner has left out', () => {
  it('may be brought yet while the version was young, and for as long as the keeper may take', () => {
    const end = MADE_AT + KNOWN_MS;
    expect([isDue(end, end), isDue(end + 1, end + 1)]).toEqual([true, false]);
    expect([isDue(end, end + SLICE_PATIENCE_MS), isDue(end, end + SLICE_PATIENCE_MS + 1)]).toEqual([true, false]);
  });

  it('waits for as long as history is behind', () => {
    expect(isDue(MADE_AT, MADE_AT + 10 * SLICE_PATIENCE_MS, true)).toBe(true);
  });
});

describe('what a catch-up brings', () => {
  it('is what stands before the offset up to which its epoch reads', () => {
    const after = subscribed({ epoch: 2, epochFrom: { 0: 150 } });
    expect([149, 150].map((offset) => isCaughtUp(after, 0, offset))).toEqual([true, false]);
    expect(isCaughtUp(subscribed(), 0, 1)).toBe(false);
    expect(isCaughtUp(subscribed({ epoch: 2, status: 'deleted' }), 0, 1)).toBe(false);
  });

  it('is through, for an ordered subscription, when its record says so', () => {
    const ordered = { epoch: 1, ordering: 'key' } as const;
    expect(isCaughtUp(subscribed({ ...ordered, catchingUp: 'rpl_a' }), 0, 1)).toBe(true);
    expect(isCaughtUp(subscribed(ordered), 0, 1)).toBe(false);
  });
});
