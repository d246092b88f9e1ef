import { z } from 'zod';
import { queryTimestamp } from '../topics/timestamp.js';

/** Those of a thousand partitions fit; a request line may not be much longer. */
const LONGEST_CURSOR = 12_000;
const LONGEST_TYPES = 12_000;

const whole = z
  .string()
  .regex(/^\d{1,6}$/, 'must be a whole number')
  .transform(Number);

/** How many and which types, how many events and how long: `StreamRules`, by the settings. */
export const streamQuery = z.strictObject({
  tenantId: z.string().max(100).optional().describe('Only with the operator token, and needed there.'),
  cursor: z
    .string()
    .max(LONGEST_CURSOR, `must have ${LONGEST_CURSOR} characters at most`)
    .optional()
    .describe('`cursor` of the answer before.'),
  from: z
    .union([z.literal('earliest'), z.literal('latest'), queryTimestamp], {
      error: '`earliest`, `latest`, an RFC 3339 time with its zone, or milliseconds since the epoch',
    })
    .optional()
    .describe(
      'Where to begin without a cursor: `latest` (the end of the log, and the default), `earliest` (what history has), or a time of appending: RFC 3339, or milliseconds since the epoch.',
    ),
  types: z
    .string()
    .max(LONGEST_TYPES, `must have ${LONGEST_TYPES} characters at most`)
    .prefault('*')
    .transform((text) => text.split(','))
    .describe('Exact types, `prefix.*` or `*`, separated by commas.'),
  limit: whole
    .pipe(z.number().min(1, 'must be at least 1'))
    .prefault('100')
    .describe('Events at most; there may be fewer, and more to come.'),
  wait: whole.prefault('0').describe('Seconds to wait for an event where there is none.'),
});
export type StreamQueryFields = z.infer<typeof streamQuery>;

export const streamPage = z.object({
  items: z.array(
    z.object({
      id: z.string().describe("The event's id: one that comes again is a repeat."),
      type: z.string(),
      time: z.string().describe('As it was published.'),
      key: z.string().nullable(),
      partition: z.int(),
      offset: z.int(),
      appendedAt: z.iso.datetime(),
      data: z.unknown().describe('As it was published; null where it was removed since.'),
    }),
  ),
  cursor: z.string().describe('For the next poll, also where nothing came.'),
  more: z.boolean().describe('There is more that can be had at once, or that must be looked over.'),
});

export const gapProblem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.literal(410),
  detail: z.string(),
  gaps: z.array(
    z.object({
      partition: z.int(),
      from: z.int().describe('The first offset that is gone.'),
      to: z
        .int()
        .nullable()
        .describe('The first offset behind it; null for another cluster: nobody knows how far its log went.'),
      fromTime: z.iso.datetime().nullable().describe('Nothing that is gone was appended before; null if not known.'),
      toTime: z.iso.datetime().nullable().describe('Nothing that is gone was appended after; null if not known.'),
      reason: z
        .enum(['log-retention', 'history-retention', 'other-cluster'])
        .describe(
          'Gone from the log before it was recorded; dropped from history by its own retention; or the cursor is of another Kafka cluster.',
        ),
      inLog: z
        .object({ from: z.int(), to: z.int() })
        .nullable()
        .describe('What of it the log still has; null if nothing, or if Kafka does not answer.'),
    }),
  ),
  cursor: z
    .string()
    .describe(
      'Goes on behind the gaps; nothing else is skipped. Of another cluster: begins with the first event of this one.',
    ),
  refetch: z.string().describe('What to do about it.'),
});
export type GapProblem = z.infer<typeof gapProblem>;
