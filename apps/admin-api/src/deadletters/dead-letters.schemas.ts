import { isDeliveryId, isTypePattern } from '@hookline/domain';
import { z } from 'zod';
import { deliveryView } from '../history/history.schemas.js';
import { pageQuery } from '../http/page.js';
import { line } from '../http/text.js';
import { replayProgress } from '../replays/replays.schemas.js';
import { queryTimestamp, timestamp } from '../topics/timestamp.js';

const tenantId = z.string().max(100).optional().describe('Only with the operator token, and needed there.');

/** Of deliveries; `unreadable` is a record's. */
const reason = z.enum([
  'expired',
  'endpoint-gone',
  'subscription-deleted',
  'subscription-disabled',
  'let-go',
  'expunged',
]);
const typePattern = z.string().max(1_000).refine(isTypePattern, 'must be an event type, `prefix.*` or `*`');

const FROM = 'By the append time of the event, inclusive. Left out: as far back as dead letters are kept.';
const TO = 'By the append time of the event, exclusive.';

/** In a query one of each; a change by filter takes several. */
const browsed = {
  tenantId,
  reason: reason.optional(),
  subscriptionId: z.string().max(100).optional(),
  type: typePattern.optional().describe('An exact type, `prefix.*` or `*`.'),
  from: queryTimestamp.optional().describe(FROM),
  to: queryTimestamp.optional().describe(TO),
};

export const listDeadLetters = z.strictObject({
  ...browsed,
  discarded: z
    .enum(['true', 'false'])
    .prefault('false')
    .transform((text) => text === 'true')
    .describe('Those that were discarded, instead of the others.'),
  ...pageQuery,
});
export type ListDeadLetters = z.infer<typeof listDeadLetters>;

export const summarize = z.strictObject({
  ...browsed,
  groupBy: z.enum(['reason', 'subscription']).default('reason').describe('`subscription`: by both.'),
});
export type Summarize = z.infer<typeof summarize>;

const kind = z.enum(['range', 'source', 'record']);

export const listRecords = z.strictObject({
  tenantId: z.string().max(100).optional().describe('Only with the operator token; every tenant where it is left out.'),
  kind: kind.optional(),
  subscriptionId: z.string().max(100).optional(),
  from: queryTimestamp.optional().describe('By its own append time, inclusive.'),
  to: queryTimestamp.optional().describe('Exclusive.'),
  discarded: z
    .enum(['true', 'false'])
    .prefault('false')
    .transform((text) => text === 'true')
    .describe('Those that were discarded, instead of the others.'),
  ...pageQuery,
});
export type ListRecords = z.infer<typeof listRecords>;

/** A record of Hookline's own that can't be read is no tenant's, and has no audit trail. */
export const discardRecords = z.strictObject({
  tenantId,
  kind: z.enum(['range', 'source']).optional(),
  subscriptionId: z.string().max(100).optional(),
  from: timestamp.optional().describe('By its own append time, inclusive. Left out: as far back as they are kept.'),
  to: timestamp.optional().describe('Exclusive.'),
  note: line(500).optional().describe('For the audit entry.'),
});
export type DiscardRecords = z.infer<typeof discardRecords>;

export const discardedRecordsView = z.object({
  count: z.int().describe('Records that were discarded.'),
  more: z.boolean().describe('There may be more than one request takes: the same again goes on.'),
  auditId: z.string(),
});
export type DiscardedRecordsView = z.infer<typeof discardedRecordsView>;

const several = <T extends z.ZodType>(item: T, most: number, what: string) =>
  z
    .array(item)
    .min(1, `must name at least one ${what}, or be left out`)
    .max(most, `must name ${most} at most`)
    .optional();

const wanted = {
  tenantId,
  reasons: several(reason, 10, 'reason'),
  subscriptionIds: several(z.string().max(100), 1_000, 'subscription'),
  types: several(typePattern, 100, 'type'),
  from: timestamp.optional().describe(FROM),
  to: timestamp.optional().describe(TO),
  deliveryIds: several(z.string().refine(isDeliveryId, 'must be the id of a delivery'), 1_000, 'delivery'),
  note: line(500).optional().describe('For the audit entry.'),
  dryRun: z.boolean().default(false).describe('Counts, and changes nothing.'),
};

export const redrive = z.strictObject({ ...wanted, rate: replayRate() });
export type Redrive = z.infer<typeof redrive>;

export const discard = z.strictObject(wanted);
export type Discard = z.infer<typeof discard>;

function replayRate() {
  return z
    .number()
    .min(0.1, 'must be at least 0.1 deliveries a second')
    .max(100_000, 'must be 100000 deliveries a second at most')
    .optional()
    .describe('Deliveries a second at most.');
}

export const deadLetterView = deliveryView.extend({
  discarded: z
    .object({ at: z.iso.datetime(), by: z.string(), auditId: z.string() })
    .nullable()
    .describe('It is left out of redrives and of replays by outcome. Null: nobody has discarded it.'),
});
export type DeadLetterView = z.infer<typeof deadLetterView>;

export const summaryView = z.object({
  groups: z
    .array(
      z.object({
        reason: z.string().nullable(),
        subscriptionId: z.string().nullable().describe('Null unless it is grouped by subscription.'),
        count: z.int(),
        discarded: z.int().describe('Of these.'),
        oldestAt: z.iso.datetime(),
        newestAt: z.iso.datetime(),
      }),
    )
    .describe('Deliveries, the largest group first; 1000 groups at most.'),
  records: z
    .array(z.object({ kind, reason: z.string(), count: z.int() }))
    .describe('What is no single delivery; see `/v1/dead-letters/records`. By its own append time.'),
});
export type SummaryView = z.infer<typeof summaryView>;

export const recordView = z.object({
  kind: kind.describe(
    '`range`: what a subscription did not get of offsets of hookline.events, and never will; `source`: a record of a ' +
      "producer's topic that is no event; `record`: a record of Hookline's own that can not be read.",
  ),
  tenantId: z.string().nullable(),
  subscriptionId: z.string().nullable(),
  source: z.string().nullable(),
  reason: z.string(),
  appendedAt: z.iso.datetime(),
  partition: z.int().describe('Of hookline.dead-letters.'),
  offset: z.int(),
  range: z
    .object({
      partition: z.int(),
      from: z.int(),
      to: z.int().describe('Exclusive.'),
      since: z.string().describe('Since when it was held.'),
    })
    .nullable(),
  origin: z.string().nullable().describe('Where the record stood: topic:partition:offset.'),
  detail: z.string().nullable().describe('Why it can not be read, or is no event.'),
  redrivenAt: z.iso.datetime().nullable().describe("When a source's record became an event after all."),
  discarded: z
    .object({ at: z.iso.datetime(), by: z.string(), auditId: z.string() })
    .nullable()
    .describe('It is not counted any more. Null: nobody has discarded it.'),
});
export type RecordView = z.infer<typeof recordView>;

export const changedView = z.object({
  count: z.int().describe('Dead letters that were taken; in a dry run, that would be.'),
  more: z.boolean().describe('There are more than one request takes: the same again goes on.'),
  leftOut: z.object({
    discarded: z.int(),
    underWay: z.int().describe('A redrive or a resend brings them, and nothing has come of it yet.'),
    notEnabled: z.int().describe('Their subscription is paused, disabled or deleted; 0 where that does not matter.'),
    gone: z.int().describe('The log has let go of their events; 0 where that does not matter.'),
    expunged: z.int().describe('The payloads of their events were expunged; 0 where that does not matter.'),
  }),
  auditId: z.string().nullable().describe('Null where nothing was changed.'),
});
export type ChangedView = z.infer<typeof changedView>;

export const redrivenView = changedView.extend({
  replay: replayProgress.nullable().describe('What brings them; null where there is nothing to bring.'),
});
export type RedrivenView = z.infer<typeof redrivenView>;
