import { z } from 'zod';

const error = 'must be an RFC 3339 time with its zone, or milliseconds since the epoch';

/** A time of the log: RFC 3339, or milliseconds since the epoch. */
export const timestamp = z
  .union([z.iso.datetime({ offset: true, error }), z.int().min(0).max(8_640_000_000_000_000)], { error })
  .describe('RFC 3339 with the zone, or milliseconds since the epoch.');

/** In a query a number is text. */
export const queryTimestamp = z
  .string()
  .max(40)
  .transform((text) => (/^\d{1,16}$/.test(text) ? Number(text) : text))
  .pipe(timestamp);

export type Timestamp = z.infer<typeof timestamp>;

/** Milliseconds since the epoch. */
export function millisOf(value: Timestamp): number {
  return typeof value === 'number' ? value : Date.parse(value);
}
