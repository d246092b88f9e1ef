import { TOPICS } from '@hookline/contracts';
import { isTypePattern } from '@hookline/domain';
import { z } from 'zod';
import { pageQuery } from '../http/page.js';
import { timestamp } from '../topics/timestamp.js';

const offsets = z
  .record(z.string().regex(/^(0|[1-9]\d{0,5})$/, 'must be the number of a partition'), z.int().min(0))
  .refine((named) => Object.keys(named).length > 0, 'must name at least one partition');

const eventId = z.string().min(1).max(1_024);

/** Where a replay begins or ends: by offsets, by the log's append times, or at an event. */
const byPosition = [z.strictObject({ offsets }), z.strictObject({ timestamp }), z.strictObject({ eventId })] as const;
const boundary = z.union(byPosition, {
  error: 'must be {"offsets": {"<partition>": <offset>}}, {"timestamp": <time>} or {"eventId": <id>}',
});
export type Boundary = z.infer<typeof boundary>;

const begin = z.union([...byPosition, z.strictObject({ lastSuccessOf: z.string().max(100) })], {
  error:
    'must be {"offsets": {"<partition>": <offset>}}, {"timestamp": <time>}, {"eventId": <id>} or ' +
    '{"lastSuccessOf": <subscription>}',
});
export type Begin = z.infer<typeof begin>;

const typePattern = z.string().max(1_000).refine(isTypePattern, 'must be an event type, `prefix.*` or `*`');

export const createReplay = z.strictObject({
  tenantId: z.string().optional().describe('Only with the operator token, and needed there.'),
  topic: z.literal(TOPICS.events, `must be ${TOPICS.events}`),
  from: begin.describe(
    'Inclusive. With offsets, only the partitions that are named are read. With an event, its own partition is read from ' +
      'there, and the others from the time of its append; with lastSuccessOf, from the append of the last event that the ' +
      'subscription got.',
  ),
  to: boundary.optional().describe("Exclusive; the log's end at the time of the request where it is left out."),
  subscriptionIds: z
    .array(z.string())
    .min(1, 'must name at least one subscription, or be left out')
    .max(1_000, 'must name 1000 subscriptions at most')
    .refine((ids) => new Set(ids).size === ids.length, 'must not name one twice')
    .optional()
    .describe('Only these. Left out: all of the tenant.'),
  subscriptions: z
    .enum(['matching', 'original'])
    .default('matching')
    .describe(
      'Whom an event is for: `matching`, those whose types match it now, whenever they were made; `original`, those that it was ' +
        'for when it came, whatever they match now, as history knows it. Neither brings anything to one that is not enabled.',
    ),
  types: z
    .array(typePattern)
    .min(1, 'must name at least one type, or be left out')
    .max(100, 'must name 100 types at most')
    .optional()
    .describe('Only events of these types or patterns.'),
  outcome: z
    .enum(['all', 'undelivered', 'failed'])
    .default('all')
    .describe('Which deliveries, by what became of them so far: all, those not delivered, or those dead-lettered.'),
  rate: z
    .number()
    .min(0.1, 'must be at least 0.1 deliveries a second')
    .max(100_000, 'must be 100000 deliveries a second at most')
    .optional()
    .describe('Deliveries a second at most. Left out: as fast as its lane takes them.'),
  dryRun: z.boolean().default(false).describe('Hands nothing over, and says in `dryRun` what it would.'),
});
export type CreateReplay = z.infer<typeof createReplay>;

const range = z.object({
  from: z.int(),
  next: z.int().describe('The first offset that is not handed over yet.'),
  to: z.int(),
});

const gone = z.object({ partition: z.int(), from: z.int(), to: z.int().describe('Exclusive.') });

const sampled = z.object({
  id: z.string(),
  type: z.string(),
  partition: z.int(),
  offset: z.int(),
  at: z.iso.datetime(),
  subscriptionIds: z.array(z.string()),
});

export const replayView = z.object({
  id: z.string(),
  tenantId: z.string().nullable(),
  kind: z
    .enum(['replay', 'catch-up', 'backlog'])
    .describe('`catch-up` and `backlog`: what a subscription has not got while it took nothing.'),
  topic: z.string(),
  from: z.unknown(),
  to: z.unknown(),
  subscriptionIds: z.array(z.string()).nullable(),
  subscriptions: z
    .enum(['matching', 'original', 'chosen'])
    .describe('Whom an event is for; `chosen`: the deliveries that a resend or a redrive has picked.'),
  types: z.array(z.string()).nullable(),
  outcome: z.enum(['all', 'undelivered', 'failed']),
  rate: z.number().nullable(),
  status: z.enum(['pending', 'running', 'paused', 'completed', 'failed', 'cancelled']),
  partitions: z.record(z.string(), range),
  scanned: z.int().describe('Events read.'),
  matched: z.int().describe('Events that match at least one of the subscriptions.'),
  sent: z.int().describe('Deliveries handed over.'),
  undecided: z
    .int()
    .describe('Events left out, for history does not say whom they were for; only where that is asked.'),
  expunged: z
    .int()
    .describe(
      'Deliveries left out, for the payloads of their events were expunged. What a catch-up, a backlog or a redrive leaves out so ends ' +
        'as a dead letter, `expunged`.',
    ),
  gone: z.array(gone).describe('What the log had let go of before it was read.'),
  dryRun: z.object({ wouldSend: z.int(), sample: z.array(sampled).describe('The first of them.') }).nullable(),
  error: z.string().nullable(),
  estimatedEndAt: z.iso.datetime().nullable().describe('By its pace so far; null unless it runs.'),
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
