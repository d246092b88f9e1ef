import { z } from 'zod';
import { timestamp } from './timestamp.js';

/** In a query a number is text. */
const queryTimestamp = z
  .string()
  .max(40)
  .transform((text) => (/^\d{1,16}$/.test(text) ? Number(text) : text))
  .pipe(timestamp)
  .optional()
  .describe('RFC 3339 with the zone, or milliseconds since the epoch, of the append time.');

export const offsetsQuery = z.strictObject({ timestamp: queryTimestamp });
export type OffsetsQuery = z.infer<typeof offsetsQuery>;

export const offsetsView = z.object({
  topic: z.string(),
  partitions: z.array(
    z.object({
      partition: z.int(),
      earliest: z.int().describe('The first offset that the log still has.'),
      latest: z.int().describe('The offset that the next event gets.'),
      at: z.int().optional().describe('The first offset that was appended at or after the timestamp.'),
    }),
  ),
});
export type OffsetsView = z.infer<typeof offsetsView>;
