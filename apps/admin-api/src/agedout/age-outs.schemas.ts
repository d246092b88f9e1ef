import type { AgedOutRecord } from '@hookline/contracts';
import type { NotedRecorderGap } from '@hookline/persistence';
import { z } from 'zod';

const time = z.string().describe('RFC 3339');

export const ageOutView = z.object({
  group: z.string().describe('The consumer group that did not read it.'),
  topic: z.string(),
  partition: z.int(),
  from: z.int().describe('The first offset that was not read.'),
  to: z.int().describe('Exclusive, and at most: what was read since the watermark was last written is counted in.'),
  foundAt: time,
  since: time.optional().describe('When `from` was last known to be where the group stood.'),
  until: time.optional().describe('The append time of the first record that is still there.'),
  state: z
    .enum(['found', 're-created', 'lost'])
    .describe(
      '`found`: nothing was done about it yet; `re-created`: what the log has is brought again; `lost`: nothing was left.',
    ),
  recreated: z.int().optional().describe('Deliveries of that lane partition that are brought again.'),
  lost: z
    .array(
      z.object({
        partition: z.int(),
        first: z.int(),
        last: z.int().describe('Inclusive.'),
        firstAt: time,
        lastAt: time,
        deliveries: z.int().describe('0 where nobody knows whom the events would have matched.'),
      }),
    )
    .optional()
    .describe('Offsets of hookline.events whose deliveries can not be brought any more.'),
});
export type AgeOutView = z.infer<typeof ageOutView>;

export const recorderGapView = z.object({
  topic: z.string().describe('`hookline.events`, or `hookline.attempts` with the outcomes of deliveries.'),
  partition: z.int(),
  from: z.int(),
  to: z.int().describe('Exclusive.'),
  foundAt: time,
  since: time
    .optional()
    .describe('When the last record before it was appended; of events, and where history has that.'),
  until: time.optional().describe('When the first record after it was appended.'),
});
export type RecorderGapView = z.infer<typeof recorderGapView>;

export const ageOutsView = z.object({
  items: z.array(ageOutView),
  recorderGaps: z
    .array(recorderGapView)
    .describe(
      'What history has not got: the log let go of it before it was recorded. Deliveries do not depend on that.',
    ),
});
export type AgeOutsView = z.infer<typeof ageOutsView>;

export function toAgeOutView({ v: _, foundAt, since, until, lost, ...rest }: AgedOutRecord): AgeOutView {
  return {
    ...rest,
    foundAt: iso(foundAt),
    ...(since === undefined ? {} : { since: iso(since) }),
    ...(until === undefined ? {} : { until: iso(until) }),
    ...(lost === undefined
      ? {}
      : { lost: lost.map((each) => ({ ...each, firstAt: iso(each.firstAt), lastAt: iso(each.lastAt) })) }),
  };
}

export function toRecorderGapView({ notedAt, since, until, ...rest }: NotedRecorderGap): RecorderGapView {
  return {
    ...rest,
    foundAt: iso(notedAt),
    ...(since === undefined ? {} : { since: iso(since) }),
    ...(until === undefined ? {} : { until: iso(until) }),
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();
