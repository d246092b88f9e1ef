import type { AgedOutRecord } from '@hookline/contracts';
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

export const ageOutsView = z.object({ items: z.array(ageOutView) });
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

const iso = (ms: number): string => new Date(ms).toISOString();
