import { TOPICS } from '@hookline/contracts';
import { z } from 'zod';
import { pageQuery } from '../http/page.js';
import { timestamp } from '../topics/timestamp.js';

const offsets = z
  .record(z.string().regex(/^(0|[1-9]\d{0,5})$/, 'must be the number of a partition'), z.int().min(0))
  .refine((named) => Object.keys(named).length > 0, 'must name at least one partition');

/** Where a replay begins or ends: by offsets, or by the log's append times. */
const boundary = z.union([z.strictObject({ offsets }), z.strictObject({ timestamp })], {
  error: 'must be either {"offsets": {"<partition>": <offset>}} or {"timestamp": <time>}',
});
export type Boundary = z.infer<typeof boundary>;

export const createReplay = z.strictObject({
  tenantId: z.string().optional().describe('Only with the operator token, and needed there.'),
  topic: z.literal(TOPICS.events, `must be ${TOPICS.events}`),
  from: boundary.describe('Inclusive. With offsets, only the partitions that are named are read.'),
  to: boundary.optional().describe("Exclusive; the log's end at the time of the request where it is left out."),
  subscriptionIds: z
    .array(z.string())
    .min(1, 'must name at least one subscription, or be left out')
    .max(1_000, 'must name 1000 subscriptions at most')
    .refine((ids) => new Set(ids).size === ids.length, 'must not name one twice')
    .optional()
    .describe('Only these; each gets what its types match. Left out: all that match now.'),
});
export type CreateReplay = z.infer<typeof createReplay>;

const range = z.object({
  from: z.int(),
  next: z.int().describe('The first offset that is not handed over yet.'),
  to: z.int(),
});

export const replayView = z.object({
  id: z.string(),
  tenantId: z.string().nullable(),
  topic: z.string(),
  from: z.unknown(),
  to: z.unknown(),
  subscriptionIds: z.array(z.string()).nullable(),
  status: z.enum(['pending', 'running', 'paused', 'completed', 'failed', 'cancelled']),
  partitions: z.record(z.string(), range),
  scanned: z.int().describe('Events read.'),
  matched: z.int().describe('Events that match at least one of the subscriptions.'),
  sent: z.int().describe('Deliveries handed over.'),
  error: z.string().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
});
export type ReplayView = z.infer<typeof replayView>;

export const replayProgress = replayView.extend({
  delivered: z.int().describe('Of what was sent, as far as the recorder knows.'),
  failed: z.int().describe('Dead-lettered, of what was sent, as far as the recorder knows.'),
});
export type ReplayProgress = z.infer<typeof replayProgress>;

export const listReplays = z.strictObject({
  tenantId: z.string().max(100).optional().describe('Only with the operator token, and needed there.'),
  ...pageQuery,
});
export type ListReplays = z.infer<typeof listReplays>;
