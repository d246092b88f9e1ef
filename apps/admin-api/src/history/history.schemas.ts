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
const status = z
  .string()
  .regex(/^[1-5]\d\d$/, 'must be an HTTP status')
  .transform(Number)
  .optional();
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

const searchCursor = z
  .string()
  .nullable()
  .describe('Null on the last page. A page that has one may be short, or empty: it was looked for in vain so far.');

export const eventsPage = z.object({
  items: z.array(eventSummary),
  nextCursor: searchCursor,
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
  status: status.describe('The HTTP status of the last attempt.'),
  from: period.from.describe(
    'By the append time of the event, inclusive. Left out: with an event id, all of the history; else HOOKLINE_SEARCH_RANGE before `to`, or before now.',
  ),
  to: period.to,
  ...pageQuery,
});
export type ListDeliveries = z.infer<typeof listDeliveries>;

const eventPlace = z.object({
  id: z.string(),
  type: z.string(),
  partition: z.int(),
  offset: z.int(),
  appendedAt: z.iso.datetime(),
});

export const deliveryView = deliverySummary.extend({
  tenantId: z.string(),
  event: eventPlace,
  nextAttemptAt: z.iso.datetime().nullable(),
  reason: z
    .string()
    .nullable()
    .describe(
      'Why it was dead-lettered (`expired`, `subscription-deleted`, `endpoint-gone`, `let-go`, `expunged`), is held (`subscription-paused`, `subscription-disabled`, `catch-up-ended`), or was handed over without an attempt (`busy`).',
    ),
  lastStatus: z.int().nullable(),
  lastError: z.string().nullable(),
  replayId: z.string().nullable(),
});
export type DeliveryView = z.infer<typeof deliveryView>;

const outcome = z.enum(['delivered', 'failed']);

const attemptSummary = z.object({
  id: z.string(),
  number: z
    .int()
    .describe('1 for the first of its delivery; two have the same where one was made again after a crash.'),
  startedAt: z.iso.datetime().describe("By the worker's clock."),
  durationMs: z.int(),
  outcome: outcome.describe('`delivered`: it was answered with a 2xx.'),
  status: z.int().nullable(),
  error: z.string().nullable().describe('A named failure, where there was no whole answer: `timeout`, `tls`, …'),
  replayId: z.string().nullable(),
});
export type AttemptSummary = z.infer<typeof attemptSummary>;

export const deliveryWithAttempts = deliveryView.extend({
  attempts: z.array(attemptSummary.extend({ responseBody: z.string().nullable() })),
});
export type DeliveryWithAttempts = z.infer<typeof deliveryWithAttempts>;

export const listAttempts = z.strictObject({
  tenantId,
  eventId: z.string().max(1_024).optional(),
  deliveryId: z.string().max(100).optional().describe('Also the `webhook-id`.'),
  subscriptionId: z.string().max(100).optional(),
  type,
  status: status.describe('The HTTP status of the answer.'),
  outcome: outcome.optional().describe('`delivered`: it was answered with a 2xx.'),
  error: z
    .string()
    .max(50)
    .regex(/^[a-z-]+$/, 'must be the name of a failure')
    .optional()
    .describe('A named failure: `timeout`, `connection-refused`, `tls`, …'),
  from: period.from.describe(
    'By the append time of the event, inclusive. Left out: with an event or delivery id, all of the history; else HOOKLINE_SEARCH_RANGE before `startedFrom`, or else before `to`, or before now.',
  ),
  to: period.to,
  startedFrom: queryTimestamp.optional().describe("When the attempt began by the worker's clock, inclusive."),
  startedTo: queryTimestamp.optional().describe('Exclusive.'),
  ...pageQuery,
});
export type ListAttempts = z.infer<typeof listAttempts>;

export const attemptView = attemptSummary.extend({
  tenantId: z.string(),
  deliveryId: z.string().describe('Also the `webhook-id`.'),
  subscriptionId: z.string(),
  event: eventPlace,
});
export type AttemptView = z.infer<typeof attemptView>;

export const attemptsPage = z.object({
  items: z.array(attemptView).describe('Newest event first; the attempts of one delivery together, newest first.'),
  nextCursor: searchCursor,
});
