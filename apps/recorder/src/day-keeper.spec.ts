import { describe, expect, it } from '@jest/globals';
import { DayPartitions } from '@hookline/persistence';
import { silentLogger } from '@hookline/platform';
import { TestClock, waitUntil } from '@hookline/testing';
import { DayKeeper, keptOf } from './day-keeper.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const A_DAY_OF_FAILURE = { disableAfterMs: DAY_MS, gapMs: 6 * HOUR_MS };

/** Before which time the minutes of successes are forgotten, ms ago. */
async function forgottenAfter(historyMs: number): Promise<number> {
  const clock = new TestClock();
  const before: Date[] = [];
  const query = async (sql: string, values: unknown[] = []): Promise<{ rows: never[] }> => {
    if (sql.includes('success_minutes')) before.push(values[0] as Date);
    return { rows: [] };
  };
  const kept = keptOf(historyMs, A_DAY_OF_FAILURE);
  const keeper = new DayKeeper({ query } as never, new DayPartitions(), kept, clock, silentLogger);
  keeper.start();
  clock.advance(0);
  const [time] = await waitUntil(async () => before.length > 0 && before, {
    deadlineMs: 60_000,
    what: 'the keeper to be through',
  });
  keeper.stop();
  return clock.now() - (time as Date).getTime();
}

describe('the minutes in which something succeeded', () => {
  it('are kept for a day of failure and more, however short history is kept: nobody would be disabled without', async () => {
    expect(await forgottenAfter(HOUR_MS)).toBe(DAY_MS + 6 * HOUR_MS + DAY_MS);
  });

  it('are kept as long as history where that is longer', async () => {
    expect(await forgottenAfter(30 * DAY_MS)).toBe(30 * DAY_MS);
  });
});
