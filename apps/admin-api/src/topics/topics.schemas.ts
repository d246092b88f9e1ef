import { z } from 'zod';
import { queryTimestamp } from './timestamp.js';

export const offsetsQuery = z.strictObject({ timestamp: queryTimestamp.optional() });
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
