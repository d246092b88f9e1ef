import { z } from 'zod';
import { isTypePattern } from '@hookline/domain';
import { pageQuery } from '../http/page.js';
import { queryTimestamp } from '../topics/timestamp.js';

const tenantId = z.string().max(100).optional().describe('Only with the operator token, and needed there.');
const state = z.enum(['pending', 'delivered', 'retrying', 'dead-lettered', 'held']);

export const eventQuery = z.strictObject({ tenantId });
export type EventQuery = z.infer<typeof eventQuery>;

const eventSummary = z.object({
  id: z.string(),
  tenantId: z.string(),
  partition: z.int(),
  offset: z.int(),
  appendedAt: z.iso.datetime(),
  type: z.string(),
  time: z.string(),
  key: z.string().nullable(),
  size: z.int().describe('Bytes of the data, as it was published.'),
  expungedAt: z.iso.datetime().nullable().describe('When its data was taken out of the history.'),
  routing: z.enum(['pending', 'routed']).describe('`pending`: no worker has said yet what it matched.'),
  matched: z.array(z.string()).nullable().describe('The subscriptions that it matched; null while that is pending.'),
  duplicateOf: z.int().nullable().describe('The offset, in the same partition, of the event that it repeats.'),
});

const deliverySummary = z.object({
  id: z.string().describe('Also the `webhook-id`.'),
  subscriptionId: z.string(),
  state,
  attemptCount: z.int(),
  updatedAt: z.iso.datetime(),
});

const period = {
  from: queryTimestamp
    .optional()
    .describe(
      'By the append time of the event, inclusive. Left out: HOOKLINE_SEARCH_RANGE before `to`, or before now.',
    ),
  to: queryTimestamp.optional().describe('Exclusive. Left out: now.'),
};
const type = z
  .string()
  .max(1_000)
  .refine(isTypePattern, 'must be an event type, `prefix.*` or `*`')
  .optional()
  .describe('An exact type, `prefix.*` or `*`.');

export const listEvents = z.strictObject({
  tenantId,
  ...period,
  type,
  key: z.string().max(1_024).optional().describe('The ordering key.'),
  eventId: z.string().max(1_024).optional().describe('Its repeats, too; then the period is all of the history.'),
  ...pageQuery,
  // It has a place for each partition.
  cursor: z.string().max(6_000).optional().describe('`nextCursor` of the page before.'),
});
export type ListEvents = z.infer<typeof listEvents>;

export const eventsPage = z.object({
  items: z.array(eventSummary),
  nextCursor: z
    .string()
    .nullable()
    .describe('Null on the last page. A page that has one may be short, or empty: it was looked for in vain so far.'),
});

export const eventView = eventSummary.extend({
  payload: z
    .string()
    .nullable()
    .describe('The bytes of the data, exactly as they were published; null if they were expunged.'),
  data: z.unknown().describe('The payload, parsed.'),
  repeats: z.array(eventSummary).describe('Other events with the same id, newest first.'),
  deliveries: z.array(deliverySummary),
});
export type EventSummary = z.infer<typeof eventSummary>;
export type EventView = z.infer<typeof eventView>;

export const listDeliveries = z.strictObject({
  tenantId,
  eventId: z.string().max(1_024).optional(),
  subscriptionId: z.string().max(100).optional(),
  state: state.optional(),
  type,
  status: z
    .string()
    .regex(/^[1-5]\d\d$/, 'must be an HTTP status')
    .transform(Number)
    .optional()
    .describe('The HTTP status of the last attempt.'),
  from: period.from.describe(
    'By the append time of the event, inclusive. Left out: with an event id, all of the history; else HOOKLINE_SEARCH_RANGE before `to`, or before now.',
  ),
  to: period.to,
  ...pageQuery,
});
export type ListDeliveries = z.infer<typeof listDeliveries>;

export const deliveryView = deliverySummary.extend({
  tenantId: z.string(),
  event: z.object({
    id: z.string(),
    type: z.string(),
    partition: z.int(),
    offset: z.int(),
    appendedAt: z.iso.datetime(),
  }),
  nextAttemptAt: z.iso.datetime().nullable(),
  reason: z
    .string()
    .nullable()
    .describe(
      'Why it was dead-lettered (`expired`, `subscription-deleted`, `endpoint-gone`), is held (`subscription-paused`, `subscription-disabled`), or was handed over without an attempt (`busy`).',
    ),
  lastStatus: z.int().nullable(),
  lastError: z.string().nullable(),
  replayId: z.string().nullable(),
});
export type DeliveryView = z.infer<typeof deliveryView>;

export const deliveryWithAttempts = deliveryView.extend({
  attempts: z.array(
    z.object({
      id: z.string(),
      number: z.int(),
      startedAt: z.iso.datetime(),
      durationMs: z.int(),
      status: z.int().nullable(),
      error: z.string().nullable(),
      responseBody: z.string().nullable(),
      replayId: z.string().nullable(),
    }),
  ),
});
export type DeliveryWithAttempts = z.infer<typeof deliveryWithAttempts>;
