import { describe, expect, it } from '@jest/globals';
import { TestClock } from '@hookline/testing';
import { decodeAttemptCursor, encodeAttemptCursor } from './attempt-cursor.js';
import { AttemptSearch } from './attempt-search.js';
import { InvalidCursor } from './cursor.js';

const UUID = '00000000-0000-0000-0000-000000000001';
const DAY_MS = 86_400_000;

describe('AttemptSearch', () => {
  it('looks through few deliveries first, then more, and through fewer of earlier days, and then ends the page', async () => {
    const clock = new TestClock();
    const looks: number[] = [];
    let daysAgo = 0;
    const query = async (_sql: string, values: unknown[] = []): Promise<never> => {
      looks.push(values[2] as number);
      // Nothing was found, and there is more: what is next is of that day.
      return [
        { attempt_id: null, horizon_at: new Date(clock.now() - daysAgo * DAY_MS), horizon_id: UUID },
      ] as unknown as never;
    };
    const search = new AttemptSearch({ query: query as never }, 10_000, clock);
    const page = await search.page({ tenantId: 't' }, 50);
    expect(looks.splice(0)).toEqual([100, 800, 6_400, 2_700]);
    expect(page).toEqual({ attempts: [], next: encodeAttemptCursor({ at: new Date(clock.now()), uuid: UUID }) });
    daysAgo = 29;
    await search.page({ tenantId: 't' }, 50);
    expect(looks.splice(0)).toEqual([100, 330]);
    const later = encodeAttemptCursor({ at: new Date(clock.now() - 19_999 * DAY_MS), uuid: UUID });
    await search.page({ tenantId: 't' }, 50, later);
    expect(looks).toEqual([1]);
  });
});

describe('the cursor of a list of attempts', () => {
  it('comes back as it was, whatever the attempt is called', () => {
    const place = { at: new Date(1_700_000_000_123), uuid: UUID };
    for (const each of [place, { ...place, attempt: { startedAt: new Date(5), id: 'a.b-_\u00e4 ' } }])
      expect(decodeAttemptCursor(encodeAttemptCursor(each))).toEqual(each);
  });

  it.each(['', 'abc', `${encodeAttemptCursor({ at: new Date(1), uuid: UUID })}.x`, 'a.b.c'])('is not %j', (text) => {
    expect(() => decodeAttemptCursor(text)).toThrow(InvalidCursor);
  });
});
