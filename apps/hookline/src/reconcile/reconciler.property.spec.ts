import { describe, expect, it } from '@jest/globals';
import { TOPICS } from '@hookline/contracts';
import type { OffsetRange } from '@hookline/kafka';
import fc from 'fast-check';
import type { Look } from './ledger.js';
import { Matching } from './matching.js';
import { Reconciler } from './reconciler.js';
import { Repair } from './repair.js';
import { summarize } from './summary.js';
import { MODEL_GROUPS, ModelLog } from './testing/model-log.js';
import type { EndState } from './verdict.js';

const IDS = ['sub_a', 'sub_b', 'sub_c'];

const NONE = { total: 0, proofs: {} };

/** Numbers that follow from a seed (mulberry32), so that a failure can be run again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function modelFrom(seed: number): ModelLog {
  const log = new ModelLog(randomFrom(seed));
  log.subscribe('sub_a', ['*']);
  log.subscribe('sub_b', ['order.*']);
  log.subscribe('sub_c', ['order.created', 'invoice.paid']);
  return log;
}

async function reconcilerOf(log: ModelLog, knownAfterMs: number): Promise<Reconciler> {
  const ranges: OffsetRange[] = (await log.bounds(TOPICS.events)).map(({ partition, low, high }) => ({
    partition,
    from: low,
    to: high,
  }));
  const { clock, subscriptions } = log;
  const parts = { log, clock, subscriptions, groups: MODEL_GROUPS, matching: new Matching(), knownAfterMs };
  return new Reconciler(parts, ranges);
}

function statesOf({ ledger }: Reconciler, look: Look): Map<string, EndState> {
  const states = new Map<string, EndState>();
  ledger.each(look, ({ partition, offset, subscribed }, { state }) =>
    states.set(`${partition}:${offset} ${subscribed.id}`, state),
  );
  return states;
}

/** Everything is done that workers do, but for what they lost. */
function lossy(seed: number): ModelLog {
  const log = modelFrom(seed);
  log.loses = true;
  for (let i = 0; i < 25; i += 1) log.publish();
  log.finish();
  log.loses = false;
  return log;
}

describe('reconciling', () => {
  it('never calls missing what is under way, however much moves while it looks, crashes, is handed over or paused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 8 }), async (seed, pace) => {
        const log = modelFrom(seed);
        log.changes = true;
        for (let i = 0; i < 12; i += 1) log.publish();
        for (let i = 0; i < 40; i += 1) {
          log.step();
          if (i % 13 === 0) log.change(IDS[i % IDS.length] as string);
        }
        log.pace = pace;
        const reconciler = await reconcilerOf(log, 3_600_000);
        for (let times = 0; times < 2; times += 1) {
          const { states } = summarize(reconciler.ledger, await reconciler.settle());
          expect([states.missing, states.unknown]).toEqual([NONE, NONE]);
        }
      }),
      { numRuns: 80 },
    );
  });

  it('misses nothing between two places, in a single look', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 8 }), async (seed, pace) => {
        const log = modelFrom(seed);
        for (let i = 0; i < 12; i += 1) log.publish();
        for (let i = 0; i < 40; i += 1) log.step();
        log.pace = pace;
        const reconciler = await reconcilerOf(log, 0);
        const look = await reconciler.look();
        expect(reconciler.ledger.seek(look)).toEqual({ missing: 0, confirmed: 0 });
      }),
      { numRuns: 80 },
    );
  });

  it('says at rest of each what the plain truth says, and finds exactly those that were lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 0, max: 4 }), async (seed, pace) => {
        const log = modelFrom(seed);
        log.loses = true;
        log.pace = pace;
        for (let i = 0; i < 25; i += 1) log.publish();
        for (let i = 0; i < 60; i += 1) log.step();
        log.finish();
        log.pace = 0;
        const reconciler = await reconcilerOf(log, 0);
        const look = await reconciler.settle();
        const states = statesOf(reconciler, look);
        const truth = log.truth();
        expect(states.size).toBe(truth.size);
        for (const [key, end] of truth)
          expect([key, states.get(key)]).toEqual([
            key,
            ['nothing', 'pending', 'retrying'].includes(end) ? 'missing' : end,
          ]);
        const { states: totals } = summarize(reconciler.ledger, look);
        expect(totals.missing.total).toBe([...states.values()].filter((state) => state === 'missing').length);
        expect(totals.unknown.total).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it('sends nothing again that another run has sent since it was asked, nor what has come to its end', async () => {
    let sentAtAll = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.boolean(), async (seed, hasEnded) => {
        const log = lossy(seed);
        const [first, second] = [await reconcilerOf(log, 0), await reconcilerOf(log, 0)];
        const missing = summarize(first.ledger, await first.settle()).states.missing.total;
        await second.settle();
        expect((await new Repair(first, log.output, log.clock, () => false).send()).deliveries).toBe(missing);
        if (hasEnded) log.finish();
        expect((await new Repair(second, log.output, log.clock, () => false).send()).deliveries).toBe(0);
        sentAtAll += missing;
      }),
      { numRuns: 20 },
    );
    expect(sentAtAll).toBeGreaterThan(0);
  });

  it('ends what is missing of an event that was expunged as a dead letter, once, and sends nothing of it', async () => {
    let endedAtAll = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const log = lossy(seed);
        const [first, second] = [await reconcilerOf(log, 0), await reconcilerOf(log, 0)];
        const { missing, 'dead-lettered': dead } = summarize(first.ledger, await first.settle()).states;
        await second.settle();
        const { deliveries, expunged } = await new Repair(first, log.output, log.clock, () => true).send();
        expect([deliveries, expunged]).toEqual([0, missing.total]);
        // Nobody finds it missing any more, whatever he knows of what was expunged.
        for (const isExpunged of [true, false])
          expect(await new Repair(second, log.output, log.clock, () => isExpunged).send()).toMatchObject({
            deliveries: 0,
            expunged: 0,
          });
        const { states } = summarize(second.ledger, await second.settle());
        expect([states.missing.total, states['dead-lettered'].total]).toEqual([0, dead.total + missing.total]);
        endedAtAll += missing.total;
      }),
      { numRuns: 20 },
    );
    expect(endedAtAll).toBeGreaterThan(0);
  });
});
