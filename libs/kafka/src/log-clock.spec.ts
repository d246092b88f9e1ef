import { describe, expect, it } from '@jest/globals';
import { TestClock } from '@hookline/testing';
import fc from 'fast-check';
import { LogClock, WINDOW_MS } from './log-clock.js';

const HOUR_MS = 3_600_000;

/** Brokers whose clocks are off, and a process whose monotonic time began somewhere. */
class Cluster {
  readonly wall = new TestClock();
  readonly clock: LogClock;
  /** By broker: how far its clock is off, ms. */
  constructor(private readonly off: number[] = [0]) {
    // Half a millisecond: monotonic time has fractions.
    this.clock = new LogClock(this.wall, () => this.wall.now() - Date.UTC(2025, 11, 31) + 0.5);
    this.truth = () => this.wall.now();
  }

  readonly truth: () => number;

  timeOf(broker: number): number {
    return this.truth() + (this.off[broker] ?? 0);
  }

  get lowest(): number {
    return this.truth() + Math.min(...this.off);
  }

  step(broker: number, ms: number): void {
    this.off[broker] = (this.off[broker] ?? 0) + ms;
  }

  /** A record is appended, and its answer comes after a while. */
  append(broker: number, answerMs = 0): void {
    const stamp = this.timeOf(broker);
    this.wall.advance(answerMs);
    this.clock.learn(broker, stamp);
  }
}

describe('LogClock', () => {
  it('is the wall clock until the first answer, and never asks it again', () => {
    let wall = Date.UTC(2026, 0, 1);
    let monotonic = 5_000;
    const clock = new LogClock({ now: () => wall, after: () => () => undefined }, () => monotonic);
    expect(clock.now()).toBe(wall);
    clock.learn(1, wall - HOUR_MS);
    const learnt = wall - HOUR_MS;
    expect(clock.now()).toBe(learnt);
    for (const jump of [HOUR_MS, -3 * HOUR_MS]) {
      wall += jump;
      expect(clock.now()).toBe(learnt);
    }
    monotonic += 250;
    expect(clock.now()).toBe(learnt + 250);
  });

  it('is never ahead of a broker, never steps back, and is behind by no more than the quickest answer took', () => {
    const step = fc.record({
      broker: fc.nat(2),
      answerMs: fc.nat(5_000),
      pauseMs: fc.nat(3_000),
    });
    fc.assert(
      fc.property(
        fc.tuple(fc.nat(9_000), fc.nat(9_000), fc.nat(9_000)),
        fc.array(step, { minLength: 1, maxLength: 12 }),
        (off, steps) => {
          const cluster = new Cluster(off);
          const quickest = [5_000, 5_000, 5_000];
          for (const broker of [0, 1, 2]) cluster.append(broker, 5_000);
          let before = cluster.clock.now();
          // All of it inside one window, so that no answer is forgotten.
          for (const { broker, answerMs, pauseMs } of steps.slice(0, 5)) {
            cluster.append(broker, answerMs);
            quickest[broker] = Math.min(quickest[broker] as number, answerMs);
            cluster.wall.advance(pauseMs);
            const now = cluster.clock.now();
            expect(now).toBeLessThanOrEqual(cluster.lowest);
            expect(now).toBeGreaterThanOrEqual(before);
            const bounds = quickest.map((ms, each) => cluster.timeOf(each) - ms);
            expect(now).toBeGreaterThanOrEqual(Math.min(...bounds) - 1);
            before = now;
          }
        },
      ),
    );
  });

  it('never steps back, whatever the brokers clocks do, and is with the lowest again once they stand', () => {
    const step = fc.record({
      broker: fc.nat(2),
      jumpMs: fc.integer({ min: -HOUR_MS, max: HOUR_MS }),
      ms: fc.nat(30_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const cluster = new Cluster([0, 0, 0]);
        let before = -Infinity;
        const look = (): void => {
          expect(cluster.clock.now()).toBeGreaterThanOrEqual(before);
          before = cluster.clock.now();
        };
        for (const { broker, jumpMs, ms } of steps) {
          cluster.step(broker, jumpMs);
          for (const each of [0, 1, 2]) cluster.append(each, 3);
          look();
          cluster.wall.advance(ms);
          look();
        }
        const turnMs = 1_000;
        for (let passed = 0; passed <= 2 * WINDOW_MS + turnMs; passed += turnMs) {
          for (const each of [0, 1, 2]) cluster.append(each);
          look();
          cluster.wall.advance(turnMs);
        }
        // Nothing that is older than the steps counts any more: it is the lowest clock, or it waits for that.
        const { lowest } = cluster;
        expect(cluster.clock.now()).toBeGreaterThanOrEqual(lowest - 1);
        if (cluster.clock.now() > lowest) expect(cluster.clock.now()).toBe(before);
      }),
      { numRuns: 50 },
    );
  });

  it('stands still while a broker that stepped back an hour is behind it, and goes on with it', () => {
    const cluster = new Cluster([0]);
    cluster.append(0);
    const stood = cluster.clock.now();
    cluster.step(0, -HOUR_MS);
    for (let minute = 0; minute < 60; minute++) {
      cluster.append(0);
      cluster.wall.advance(60_000);
    }
    // For two windows it could not know; from then on it is never ahead.
    expect(cluster.clock.now()).toBeLessThanOrEqual(stood + 2 * WINDOW_MS);
    for (let minute = 0; minute < 4; minute++) {
      cluster.append(0);
      cluster.wall.advance(60_000);
      cluster.append(0);
    }
    expect(cluster.timeOf(0) - cluster.clock.now()).toBeLessThanOrEqual(1);
    expect(cluster.clock.now()).toBeLessThanOrEqual(cluster.timeOf(0));
  });

  it('follows no broker that steps forward alone, and forgets one that is not written to any more', () => {
    const cluster = new Cluster([0, -HOUR_MS]);
    cluster.append(0);
    cluster.append(1);
    cluster.step(0, HOUR_MS);
    cluster.append(0);
    expect(cluster.clock.now()).toBeLessThanOrEqual(cluster.timeOf(1));
    for (let passed = 0; passed <= 2 * WINDOW_MS; passed += 1_000) {
      cluster.wall.advance(1_000);
      cluster.append(0);
    }
    expect(cluster.timeOf(0) - cluster.clock.now()).toBeLessThanOrEqual(1);
  });

  it('says for how long it has heard nothing', () => {
    const cluster = new Cluster();
    expect(cluster.clock.silentMs).toBe(Infinity);
    cluster.append(0);
    cluster.wall.advance(700);
    expect(cluster.clock.silentMs).toBe(700);
  });
});
