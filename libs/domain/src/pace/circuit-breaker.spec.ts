import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CircuitBreaker, type BreakerRules, type BreakerState } from './circuit-breaker.js';

const rules: BreakerRules = {
  breakerFailures: 5,
  breakerPercent: 60,
  breakerSample: 10,
  breakerOpenMs: 5_000,
  breakerOpenMostMs: 30_000,
};

function opened(now = 0): CircuitBreaker {
  const breaker = new CircuitBreaker(rules);
  for (let i = 0; i < rules.breakerFailures; i++) breaker.failed(now);
  return breaker;
}

describe('CircuitBreaker', () => {
  it('opens on failures in a row, and says so once', () => {
    const breaker = new CircuitBreaker(rules);
    const changes = Array.from({ length: 6 }, () => breaker.failed(0));
    expect(changes).toEqual([false, false, false, false, true, false]);
    expect(breaker.state).toBe('open');
    expect(breaker.admits(4_999)).toBe(false);
    expect(breaker.waitMs(1_000)).toBe(4_000);
  });

  it('opens on too many among the latest, however many successes came before', () => {
    const breaker = new CircuitBreaker(rules);
    for (let i = 0; i < 1_000; i++) breaker.succeeded(0);
    const outcomes = [false, false, true, false, false, true, false];
    const states = outcomes.map((success) => {
      if (success) breaker.succeeded(0);
      else breaker.failed(0);
      return breaker.state;
    });
    expect(states).toEqual(['closed', 'closed', 'closed', 'closed', 'closed', 'closed', 'closed']);
    breaker.succeeded(0);
    expect(breaker.failed(0)).toBe(true);
  });

  it('judges no sample that is not whole', () => {
    const breaker = new CircuitBreaker(rules);
    for (const success of [false, false, false, true, false, false, false, true, false]) {
      if (success) breaker.succeeded(0);
      else breaker.failed(0);
    }
    expect(breaker.state).toBe('closed');
    expect(breaker.failed(0)).toBe(true);
  });

  it('sends one probe, whose success closes it and forgets all', () => {
    const breaker = opened();
    expect(breaker.admits(5_000)).toBe(true);
    expect(breaker.state).toBe('half-open');
    expect(breaker.admits(999_999)).toBe(false);
    expect(breaker.waitMs(5_000)).toBe(10_000);
    expect(breaker.succeeded(6_000)).toBe(true);
    expect(breaker.state).toBe('closed');
    expect(Array.from({ length: 5 }, () => breaker.failed(6_000)).indexOf(true)).toBe(4);
    expect(breaker.waitMs(6_000)).toBe(5_000);
  });

  it('counts nothing of before it opened once it has closed', () => {
    const breaker = opened();
    breaker.admits(5_000);
    breaker.succeeded(5_000);
    // With the five failures that opened it these would be six in ten.
    for (let i = 0; i < 4; i++) breaker.succeeded(5_000);
    expect(breaker.failed(5_000)).toBe(false);
  });

  it('is open for twice as long after each probe that fails, up to the most', () => {
    const breaker = opened();
    let now = 0;
    for (const openMs of [5_000, 10_000, 20_000, 30_000, 30_000]) {
      expect(breaker.waitMs(now)).toBe(openMs);
      expect(breaker.admits(now + openMs - 1)).toBe(false);
      now += openMs;
      expect(breaker.admits(now)).toBe(true);
      expect(breaker.failed(now)).toBe(true);
    }
  });

  it('that is suspected of others begins with the probe at once, open or closed, and forgets how long it was open', () => {
    for (const breaker of [new CircuitBreaker(rules), opened()]) {
      breaker.suspect(1_000);
      expect([breaker.state, breaker.waitMs(1_000)]).toEqual(['open', 0]);
      expect([breaker.admits(1_000), breaker.admits(1_000)]).toEqual([true, false]);
      breaker.suspect(1_001);
      expect(breaker.admits(1_001)).toBe(false);
      breaker.failed(1_002);
      expect(breaker.waitMs(1_002)).toBe(rules.breakerOpenMs);
      breaker.close();
      expect([breaker.state, breaker.waitMs(1_003)]).toEqual(['closed', 0]);
    }
  });

  it('is open for as long as it is told to, at least, and never longer than the most', () => {
    const breaker = new CircuitBreaker(rules);
    for (const [leastMs, openMs] of [
      [20_000, 20_000],
      [99_000, 30_000],
    ] as const) {
      breaker.openLeastMs = leastMs;
      for (let i = 0; i < rules.breakerFailures; i++) breaker.failed(0);
      expect(breaker.waitMs(0)).toBe(openMs);
      breaker.close();
    }
  });

  it('lets another probe go where one was lost', () => {
    const breaker = opened();
    breaker.admits(5_000);
    breaker.probeLost(5_001);
    expect(breaker.waitMs(5_001)).toBe(0);
    expect(breaker.admits(5_001)).toBe(true);
    expect(breaker.admits(5_001)).toBe(false);
  });

  it('is moved by no attempt that began before it opened, whenever that ends', () => {
    const breaker = new CircuitBreaker(rules);
    const before = breaker.round;
    for (let i = 0; i < 5; i++) breaker.failed(0, before);
    expect(breaker.succeeded(1, before)).toBe(false);
    expect(breaker.failed(1, before)).toBe(false);
    expect(breaker.waitMs(1)).toBe(4_999);

    breaker.admits(5_000);
    const probe = breaker.round;
    expect(breaker.succeeded(5_001, before)).toBe(false);
    expect(breaker.failed(5_001, before)).toBe(false);
    breaker.probeLost(5_001, before);
    expect(breaker.admits(5_001)).toBe(false);

    expect(breaker.succeeded(5_002, probe)).toBe(true);
    for (let i = 0; i < 64; i++) expect(breaker.failed(15_000, before)).toBe(false);
    expect(breaker.state).toBe('closed');
  });

  it('waits no longer than its open time where the clock steps back', () => {
    const breaker = opened(3_600_000);
    expect(breaker.admits(0)).toBe(false);
    expect(breaker.waitMs(0)).toBe(5_000);
    expect(breaker.admits(5_000)).toBe(true);
  });

  it('agrees with a naive model over random attempts, outcomes and times', () => {
    const command = fc.oneof(
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('step' as const), n: fc.nat(20_000) }) },
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('begin' as const), n: fc.constant(0) }) },
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constantFrom('succeed' as const, 'fail' as const, 'fail' as const, 'lose' as const),
          n: fc.nat(20),
        }),
      },
    );
    const anyRules = fc.record({
      breakerFailures: fc.integer({ min: 1, max: 8 }),
      breakerPercent: fc.integer({ min: 1, max: 100 }),
      breakerSample: fc.integer({ min: 2, max: 70 }),
      breakerOpenMs: fc.integer({ min: 1, max: 10_000 }),
      breakerOpenMostMs: fc.integer({ min: 10_000, max: 60_000 }),
    });
    fc.assert(
      fc.property(anyRules, fc.array(command, { maxLength: 400 }), (ruleSet, commands) => {
        const breaker = new CircuitBreaker(ruleSet);
        const model = new NaiveBreaker(ruleSet);
        const inFlight: { round: number; attempt: Attempt }[] = [];
        let now = 0;
        for (const { kind, n } of commands) {
          if (kind === 'step') now += n;
          else if (kind === 'begin') {
            const attempt = model.begin(now);
            expect(breaker.admits(now)).toBe(attempt !== undefined);
            if (attempt !== undefined) inFlight.push({ round: breaker.round, attempt });
          } else if (inFlight.length > 0) {
            const [{ round, attempt }] = inFlight.splice(n % inFlight.length, 1) as [(typeof inFlight)[0]];
            const before = model.state;
            model.end(attempt, kind, now);
            if (kind === 'lose') breaker.probeLost(now, round);
            else {
              const changed = kind === 'succeed' ? breaker.succeeded(now, round) : breaker.failed(now, round);
              expect(changed).toBe(model.state !== before);
            }
          }
          expect(breaker.state).toBe(model.state);
          expect(breaker.waitMs(now)).toBe(model.waitMs(now));
        }
      }),
      { numRuns: 500 },
    );
  });
});

interface Attempt {
  /** How often it had opened when the attempt began. */
  readonly openings: number;
  readonly isProbe: boolean;
}

/** The same by keeping every outcome and every attempt. */
class NaiveBreaker {
  private outcomes: boolean[] = [];
  private openings = 0;
  private failedProbes = 0;
  private openedAt: number | undefined;
  private halfOpen = false;
  private probe: Attempt | undefined;

  constructor(private readonly rules: BreakerRules) {}

  get state(): BreakerState {
    if (this.halfOpen) return 'half-open';
    return this.openedAt === undefined ? 'closed' : 'open';
  }

  begin(now: number): Attempt | undefined {
    if (this.state !== 'closed' && this.waitMs(now) > 0) return undefined;
    const attempt = { openings: this.openings, isProbe: this.state !== 'closed' };
    if (!attempt.isProbe) return attempt;
    this.halfOpen = true;
    this.probe = attempt;
    return attempt;
  }

  end(attempt: Attempt, how: 'succeed' | 'fail' | 'lose', now: number): void {
    if (attempt.isProbe) return this.endProbe(attempt, how, now);
    if (attempt.openings < this.openings || this.state !== 'closed' || how === 'lose') return;
    this.outcomes.push(how === 'succeed');
    const { breakerFailures, breakerSample, breakerPercent } = this.rules;
    const inARow = this.outcomes.length - 1 - this.outcomes.lastIndexOf(true);
    const sample = this.outcomes.slice(-breakerSample);
    const failures = sample.filter((success) => !success).length;
    const isTooMuch = sample.length === breakerSample && failures / breakerSample >= breakerPercent / 100;
    if (how === 'fail' && (inARow >= breakerFailures || isTooMuch)) this.open(now);
  }

  waitMs(now: number): number {
    if (this.openedAt === undefined) return 0;
    if (this.halfOpen) return this.probe === undefined ? 0 : this.openMs(this.failedProbes + 1);
    return Math.max(0, this.openedAt + this.openMs(this.failedProbes) - now);
  }

  private endProbe(attempt: Attempt, how: 'succeed' | 'fail' | 'lose', now: number): void {
    if (attempt !== this.probe) throw new Error('two probes at once');
    this.probe = undefined;
    if (how === 'lose') return;
    this.halfOpen = false;
    if (how === 'fail') {
      this.failedProbes++;
      return this.open(now);
    }
    this.openedAt = undefined;
    this.failedProbes = 0;
  }

  private open(now: number): void {
    this.outcomes = [];
    this.openings++;
    this.openedAt = now;
  }

  private openMs(failedProbes: number): number {
    return Math.min(this.rules.breakerOpenMs * 2 ** failedProbes, this.rules.breakerOpenMostMs);
  }
}
