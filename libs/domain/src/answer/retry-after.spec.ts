import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { retryAfterMs } from './retry-after.js';

const HOUR = 3_600_000;
const now = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('retryAfterMs', () => {
  it.each([
    ['120', 120_000],
    [' 7\t', 7_000],
    ['0', 0],
    ['3600', HOUR],
    ['3601', HOUR],
    ['9'.repeat(400), HOUR],
    ['Sun, 06 Nov 1994 08:50:00 GMT', 23_000],
    ['Sunday, 06-Nov-94 08:50:00 GMT', 23_000],
    ['Sun Nov  6 08:50:00 1994', 23_000],
    ['Wed Nov 16 08:50:00 1994', HOUR],
    ['Sun, 06 Nov 1994 08:49:60 GMT', 23_000],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
    ['Sat, 05 Nov 1994 08:49:37 GMT', 0],
    ['Friday, 31-Dec-99 23:59:59 GMT', HOUR],
    // More than 50 years ahead, so it is of the century before.
    ['Saturday, 06-Nov-45 08:49:37 GMT', 0],
    ['Fri, 31 Dec 9999 23:59:59 GMT', HOUR],
  ])('reads %j as %d ms', (value, waitMs) => {
    expect(retryAfterMs(value, now, HOUR)).toBe(waitMs);
  });

  it.each([
    undefined,
    '',
    'soon',
    '-1',
    '+1',
    '1.5',
    '1e3',
    '0x10',
    '12 s',
    '١٢',
    'Infinity',
    'Sun, 06 Nov 1994 08:50:00',
    'Sun, 06 Nov 1994 08:50:00 CET',
    'Sun, 6 Nov 1994 08:50:00 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 :::::::: GMT',
    'Wed, 30 Feb 1994 08:50:00 GMT',
    'Sun, 00 Nov 1994 08:50:00 GMT',
    'Sun, 06 Foo 1994 08:50:00 GMT',
    'Xyz, 06 Nov 1994 08:50:00 GMT',
    'Sunday, 06-Nov-1994 08:50:00 GMT',
    '1994-11-06T08:50:00Z',
  ])('makes nothing of %j', (value) => {
    expect(retryAfterMs(value, now, HOUR)).toBeUndefined();
  });

  it('takes an obsolete year of two digits in the century that is meant', () => {
    const lastDay = Date.UTC(2026, 11, 31, 23, 59, 59);
    expect(retryAfterMs('Friday, 01-Jan-27 00:00:29 GMT', lastDay, HOUR)).toBe(30_000);
    const lastOfCentury = Date.UTC(2099, 11, 31, 23, 59, 59);
    expect(retryAfterMs('Friday, 01-Jan-00 00:00:29 GMT', lastOfCentury, HOUR)).toBe(30_000);
  });

  it('reads every instant as the date that it is written as', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800 }), fc.nat(HOUR), (second, most) => {
        const at = new Date(second * 1_000);
        expect(retryAfterMs(at.toUTCString(), second * 1_000 - 1_500, most)).toBe(Math.min(1_500, most));
      }),
    );
  });

  it('makes of anything at all nothing or a time within bounds', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(HOUR), (value, most) => {
        const waitMs = retryAfterMs(value, now, most);
        if (waitMs === undefined) return;
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThanOrEqual(most);
      }),
    );
  });
});
