const FORM = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:Z|[+-](\d\d):(\d\d))$/;

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Whether the text is a time as in RFC 3339 that every part can hold: no leap second, no year 0, up to nine digits
 * of a second, an offset below 16 hours (PostgreSQL knows no more).
 */
export function isTime(text: string): boolean {
  const match = FORM.exec(text);
  if (!match) return false;
  const [year, month, day, hour, minute, second, offsetHour, offsetMinute] = match
    .slice(1)
    .map((n) => Number(n ?? 0)) as [number, number, number, number, number, number, number, number];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > (DAYS[month - 1] as number)) return false;
  if (month === 2 && day === 29 && !isLeap(year)) return false;
  return hour < 24 && minute < 60 && second < 60 && offsetHour < 16 && offsetMinute < 60;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
