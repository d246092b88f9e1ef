const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** RFC 9110, 5.6.7: the date of today and the two obsolete ones that a recipient must accept. */
const DATES = [
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d{2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>[\d:]{8}) GMT$/,
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\d{2}) (?<time>[\d:]{8}) GMT$/,
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>[\d:]{8}) (?<year>\d{4})$/,
];
const TIME = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)$/;

/**
 * How long an endpoint asks to be left alone by its `Retry-After` (RFC 9110, 10.2.3), ms: seconds, or a date in any of
 * its three forms.
 * @param now ms since the epoch
 * @param mostMs what a longer one is cut to
 * @returns 0 for a date that is past; undefined where there is no such header, or one that can't be read
 */
export function retryAfterMs(value: string | undefined, now: number, mostMs: number): number | undefined {
  const text = value?.trim();
  if (text === undefined) return undefined;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1_000 : dateOf(text, now) - now;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(0, waitMs), mostMs);
}

/** ms since the epoch; NaN if it is no such date. */
function dateOf(text: string, now: number): number {
  for (const form of DATES) {
    const parts = form.exec(text)?.groups;
    if (parts !== undefined) return instantOf(parts as Record<'day' | 'month' | 'year' | 'time', string>, now);
  }
  return Number.NaN;
}

function instantOf(parts: Record<'day' | 'month' | 'year' | 'time', string>, now: number): number {
  const [, hours, minutes, seconds] = TIME.exec(parts.time) ?? [];
  const day = Number(parts.day);
  const month = MONTHS.indexOf(parts.month);
  const year = parts.year.length === 2 ? fullYear(Number(parts.year), now) : Number(parts.year);
  const midnight = new Date(0).setUTCFullYear(year, month, day);
  // The 31st of a short month is none, nor is a month that isn't known.
  if (month < 0 || new Date(midnight).getUTCDate() !== day) return Number.NaN;
  return midnight + Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1_000;
}

/** RFC 9110, 5.6.7: the last year that ends so and isn't more than 50 years ahead. */
function fullYear(twoDigits: number, now: number): number {
  const most = new Date(now).getUTCFullYear() + 50;
  return most - ((most - twoDigits) % 100);
}
