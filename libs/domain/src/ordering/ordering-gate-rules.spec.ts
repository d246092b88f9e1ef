import { describe, expect, it } from '@jest/globals';
import type { OrderedWork } from './ordered-work.js';
import { OrderingGate, type GateRules } from './ordering-gate.js';

const PATIENCE_MS = 1_000;
const gateWith = (rules: Partial<GateRules> = {}): OrderingGate<OrderedWork> =>
  new OrderingGate({ patienceMs: PATIENCE_MS, outstandingMost: 100, rememberedMost: 100, ...rules });

let lastOffset = 0;
/** A record about the event at this offset of the events. */
const record = (offset: number, change: Partial<OrderedWork> = {}): OrderedWork => ({
  group: 'sub',
  key: 'k',
  source: { partition: 0, offset, at: offset },
  lane: 'deliveries',
  offset: lastOffset++,
  fromTier: false,
  attempts: 0,
  dueAt: 0,
  ...change,
});
const retry = (offset: number, dueAt: number, change: Partial<OrderedWork> = {}): OrderedWork =>
  record(offset, { lane: 'tier', fromTier: true, attempts: 1, dueAt, ...change });

describe('what is next in a key', () => {
  it('goes when the one before it is through, delivered or dead-lettered; other keys go on', () => {
    const gate = gateWith();
    const [first, second, other] = [record(1), record(2), record(3, { key: 'other' })];
    expect(gate.arrive(first, 0)).toEqual([{ kind: 'go', work: first }]);
    expect(gate.arrive(second, 0)).toEqual([]);
    expect(gate.arrive(other, 0)).toEqual([{ kind: 'go', work: other }]);
    expect(gate.finished(first, { kind: 'passed' }, 5)).toEqual([{ kind: 'go', work: second }]);
  });

  it('does not wait for another replay of the same events', () => {
    const gate = gateWith();
    gate.arrive(record(1), 0);
    const replayed = record(1, { group: 'sub\0replay' });
    expect(gate.arrive(replayed, 0)).toEqual([{ kind: 'go', work: replayed }]);
  });

  it('is decided by append time where the events grew and a key has two partitions', () => {
    const gate = gateWith();
    const old = record(900, { source: { partition: 2, offset: 900, at: 10 } });
    const young = record(3, { source: { partition: 0, offset: 3, at: 20 } });
    gate.found({ ...old, lane: 'tier', fromTier: true, dueAt: 500 });
    expect(gate.arrive(young, 0)).toEqual([]);
    const again = { ...old, lane: 'tier', fromTier: true };
    expect(gate.arrive(again, 0)).toEqual([{ kind: 'go', work: again }]);
    expect(gate.finished(again, { kind: 'passed' }, 1)).toEqual([{ kind: 'go', work: young }]);
  });

  it('goes where the log has let go of the one before it, that the scan had found', () => {
    const gate = gateWith();
    gate.found(retry(1, 50, { offset: 10 }));
    const next = retry(2, 0, { offset: 12 });
    gate.found(next);
    expect(gate.arrive(next, 60)).toEqual([{ kind: 'go', work: next }]);
    expect(gate.vanished).toBe(1);
  });
});

describe('a copy', () => {
  it('is dropped while its event is outstanding elsewhere, and when it is through', () => {
    const gate = gateWith();
    const [first, copy, late] = [record(1), record(1), record(1)];
    gate.arrive(first, 0);
    gate.finished(first, { kind: 'away', forMs: 60_000 }, 0);
    expect(gate.arrive(copy, 0)).toEqual([{ kind: 'drop', work: copy }]);
    const back = retry(1, 60_000);
    gate.arrive(back, 10);
    gate.ready(back, 60_000);
    gate.finished(back, { kind: 'passed' }, 60_000);
    expect(gate.arrive(late, 60_001)).toEqual([{ kind: 'drop', work: late }]);
  });

  it('is known exactly: what comes late and was never there before is none', () => {
    const gate = gateWith();
    for (const offset of [5, 7]) {
      const work = record(offset);
      gate.arrive(work, 0);
      gate.finished(work, { kind: 'passed' }, 0);
    }
    const late = record(6);
    expect(gate.arrive(late, 0)).toEqual([{ kind: 'go', work: late }]);
  });

  it('that is complete says nothing about its event while the record for whose sake it was dropped is not', () => {
    const gate = gateWith();
    const first = record(1);
    gate.found(first);
    gate.foundComplete(record(1));
    expect(gate.arrive(first, 0)).toEqual([{ kind: 'go', work: first }]);
  });

  it('is dropped for the sake of the first in the log, so that a complete one is never before an open one', () => {
    const gate = gateWith();
    const [first, copy] = [record(1), record(1)];
    gate.arrive(first, 0);
    gate.arrive(copy, 0);
    expect(gate.finished(first, { kind: 'again' }, 1)).toEqual([{ kind: 'drop', work: copy }]);
    expect(gate.arrive(first, 2)).toEqual([{ kind: 'go', work: first }]);
  });

  it('is not what was written to the tier and read before that was acknowledged', () => {
    const gate = gateWith();
    const first = record(1);
    gate.arrive(first, 0);
    const back = retry(1, 100);
    expect(gate.arrive(back, 0)).toEqual([]);
    expect(gate.finished(first, { kind: 'away', forMs: 100 }, 1)).toEqual([]);
    expect(gate.ready(back, 100)).toEqual([{ kind: 'go', work: back }]);
  });
});

describe('what a catch-up brings', () => {
  const gateOf = (current: { epoch: number }) =>
    gateWith({ isSuperseded: (_, epoch = current.epoch) => epoch < current.epoch });
  const old = { epoch: 0 };

  it('is waited for no longer, wherever it is, and dropped when it comes', () => {
    const current = { epoch: 0 };
    const gate = gateOf(current);
    const [first, waits, replay] = [record(1, old), record(2, old), record(1, { group: 'sub\0replay' })];
    gate.arrive(first, 0);
    gate.arrive(waits, 0);
    gate.finished(first, { kind: 'away', forMs: 100 }, 0);
    gate.arrive(replay, 0);
    current.epoch = 1;
    expect(gate.supersede('sub', 0)).toEqual([{ kind: 'drop', work: waits }]);
    // What a replay asked for has no epoch.
    expect(gate.outstanding).toBe(1);
    const next = record(3, { epoch: 1 });
    expect(gate.arrive(next, 1)).toEqual([{ kind: 'go', work: next }]);
    const back = retry(1, 100, old);
    expect(gate.arrive(back, 2)).toEqual([{ kind: 'drop', work: back }]);
    expect(gate.supersede('su', 0)).toEqual([]);
  });

  it('is waited for while it is under way, and not when that has ended, however', () => {
    const current = { epoch: 0 };
    const gate = gateOf(current);
    const [first, next] = [record(1, old), record(2, { epoch: 1 })];
    gate.arrive(first, 0);
    current.epoch = 1;
    expect(gate.supersede('sub', 0)).toEqual([]);
    expect(gate.arrive(next, 0)).toEqual([]);
    expect(gate.finished(first, { kind: 'away', forMs: 60_000 }, 1)).toEqual([{ kind: 'go', work: next }]);
  });

  it('is not taken up by a new owner, and fills nothing above the limit', () => {
    const gate = gateWith({ outstandingMost: 1, isSuperseded: (_, epoch = 0) => epoch < 1 });
    gate.found(retry(1, 50, old));
    gate.found(record(2, old));
    const [next, over] = [record(3, { epoch: 1 }), record(4, { epoch: 1, key: 'other' })];
    expect([gate.outstanding, gate.arrive(next, 0), gate.arrive(over, 0)]).toEqual([
      0,
      [{ kind: 'go', work: next }],
      [],
    ]);
    const late = record(5, old);
    expect([gate.isFull, gate.arrive(late, 0)]).toEqual([true, [{ kind: 'drop', work: late }]]);
  });
});

describe('what must wait for its turn', () => {
  it('moves behind a first that is far, and waits in memory for one that is near', () => {
    const gate = gateWith();
    const [first, follower, later] = [record(1), record(2), record(3)];
    gate.arrive(first, 0);
    gate.arrive(follower, 0);
    expect(gate.finished(first, { kind: 'away', forMs: PATIENCE_MS / 2 }, 0)).toEqual([]);
    const back = retry(1, PATIENCE_MS / 2);
    gate.arrive(back, 0);
    expect(gate.ready(back, PATIENCE_MS / 2)).toEqual([{ kind: 'go', work: back }]);
    expect(gate.finished(back, { kind: 'away', forMs: 60_000 }, 600)).toEqual([
      { kind: 'move', work: follower, waitMs: 60_000, behind: true },
    ]);
    expect(gate.arrive(later, 1_600)).toEqual([{ kind: 'move', work: later, waitMs: 59_000, behind: true }]);
  });

  it('moves where its turn comes late by the pace of its key', () => {
    const gate = gateWith();
    const first = record(1);
    gate.arrive(first, 0);
    const followers = Array.from({ length: 50 }, (_, n) => record(2 + n));
    const verdicts = followers.flatMap((work) => gate.arrive(work, 0));
    // Twenty turns of 50 ms, as long as none is measured; what is due after a second moves.
    expect(verdicts.map(({ work }) => work.source.offset)).toEqual(followers.slice(20).map((w) => w.source.offset));
    const slow = gate.finished(first, { kind: 'passed' }, 700);
    expect(slow.filter(({ kind }) => kind === 'move')).not.toEqual([]);
  });

  it('moves on where its first does not come: it may be what keeps that one from being read', () => {
    const gate = gateWith();
    const [first, follower] = [record(1), record(2)];
    gate.arrive(first, 0);
    gate.arrive(follower, 0);
    gate.finished(first, { kind: 'away', forMs: 100 }, 0);
    expect(gate.isBlocked).toBe(true);
    expect(gate.tick(PATIENCE_MS)).toEqual([]);
    expect(gate.tick(PATIENCE_MS + 1)).toEqual([{ kind: 'move', work: follower, waitMs: 0, behind: false }]);
    expect(gate.isBlocked).toBe(false);
  });

  it('waits above the limit; what comes back from a tier does not', () => {
    const gate = gateWith({ outstandingMost: 2 });
    const back = retry(4, 0, { key: 'd' });
    gate.found(back);
    const [a, b, c] = [record(1, { key: 'a' }), record(2, { key: 'b' }), record(3, { key: 'c' })];
    gate.arrive(a, 0);
    expect([gate.arrive(b, 0), gate.arrive(c, 0), gate.isFull]).toEqual([[], [], true]);
    expect(gate.arrive(back, 0)).toEqual([{ kind: 'go', work: back }]);
    expect(gate.finished(back, { kind: 'passed' }, 0)).toEqual([{ kind: 'go', work: b }]);
    expect(gate.finished(a, { kind: 'passed' }, 0)).toEqual([{ kind: 'go', work: c }]);
    expect(gate.isFull).toBe(false);
    expect(gate.outstanding).toBe(2);
  });
});
