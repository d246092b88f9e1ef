import { isSigningSecret } from '@hookline/domain';
import { z } from 'zod';
import { pageQuery } from '../http/page.js';
import { line } from '../http/text.js';
import { timestamp } from '../topics/timestamp.js';

const MIN_PER_SECOND = 0.001;

const aNumber = z.number('must be a number');
const aCount = z.int('must be a whole number').min(1, 'must be at least 1');
const rateLimit = {
  perSecond: aNumber.min(MIN_PER_SECOND, `must be at least ${MIN_PER_SECOND}`),
  burst: aCount.describe('Attempts that may come at once after a pause.'),
};

const status = z.enum(['enabled', 'paused', 'disabled']);

/** How many, how long and which ones exactly: `SubscriptionRules`, by the settings. */
const fields = {
  url: z.string().describe('Where webhooks are sent to: http or https, without credentials.'),
  types: z.array(z.string()).describe('Exact types (`order.created`), `prefix.*` or `*`.'),
  description: line(500).nullable(),
  headers: z.record(z.string(), z.string()).describe('Static headers, sent with each webhook; never shown again.'),
  status: status.describe(
    'What comes while it is paused or disabled is held: it stays in the log, and can be caught up.',
  ),
  ordering: z
    .enum(['none', 'key'])
    .describe(
      '`key`: while an event of a key is not through, no later one of that key is sent. It can not be changed.',
    ),
  rateLimit: z
    .strictObject({
      perSecond: rateLimit.perSecond,
      burst: rateLimit.burst
        .optional()
        .describe('Attempts that may come at once after a pause; what a second brings, where it is left out.'),
    })
    .nullable()
    .describe('Attempts a second at most, over all workers; what is above it waits. Null: no limit.'),
  maxInFlight: aCount
    .nullable()
    .describe("Attempts in flight at most, over all workers. Null: the workers' own setting."),
};

export const createSubscription = z.strictObject({
  tenantId: z.string().optional().describe('Only with the operator token, and needed there.'),
  url: fields.url,
  types: fields.types.prefault(['*']),
  description: fields.description.prefault(null),
  headers: fields.headers.prefault({}),
  status: fields.status.prefault('enabled'),
  ordering: fields.ordering.prefault('none'),
  rateLimit: fields.rateLimit.prefault(null),
  maxInFlight: fields.maxInFlight.prefault(null),
  secret: z
    .string()
    .refine(isSigningSecret, 'must be whsec_ and the base64 of 24 to 64 bytes')
    .optional()
    .describe('The signing secret; one is made where it is left out.'),
});
export type CreateSubscription = z.infer<typeof createSubscription>;

export const patchSubscription = z
  .strictObject({
    url: fields.url.optional(),
    types: fields.types.optional(),
    description: fields.description.optional(),
    headers: fields.headers.optional().describe('Replaces all static headers.'),
    status: fields.status.optional().describe('Only `enabled` begins to send again where the endpoint was gone.'),
    ordering: fields.ordering.optional().describe('As it was made; another value is refused.'),
    rateLimit: fields.rateLimit.optional(),
    maxInFlight: fields.maxInFlight.optional(),
    catchUp: z
      .union([z.boolean(), z.strictObject({ from: timestamp })], {
        error: 'must be true, false or {"from": <time>}',
      })
      .optional()
      .describe(
        'Also sends what it has not got: all that is held and still in the log, and what was given up since its endpoint began to fail (dead letters `expired` and `endpoint-gone` that nobody discarded); or what of that was appended since `from`. Only where it is enabled by now or by this request.',
      ),
  })
  .refine((patch) => Object.keys(patch).length > 0, 'must name at least one field to change');
export type PatchSubscription = z.infer<typeof patchSubscription>;

const range = z.object({
  from: z.int().describe('Inclusive.'),
  to: z.int().nullable().describe('Exclusive. Null: up to now, where Kafka could not be asked.'),
});
const ranges = z.record(z.string(), range).describe('By partition of `hookline.events`.');

const heldView = z.object({
  reason: z
    .enum(['paused', 'owner', 'endpoint-gone', 'failing', 'backlog', 'aged-out'])
    .describe(
      '`backlog`: so much waits for it that it takes nothing from the log for now. `aged-out`: a lane let go of it unread, and a catch-up brings it. `owner`, `endpoint-gone`, `failing`: as disabledReason.',
    ),
  since: z.iso.datetime(),
  spans: z.array(ranges).describe('What of it the log still has.'),
  events: z.int().nullable().describe('An upper bound: it may not match all of them. Null: not known at the moment.'),
  letGoAt: z.iso
    .datetime()
    .nullable()
    .describe('When the log lets go of the first of them, at the earliest. Null: not known, or there is none.'),
});
export type HeldView = z.infer<typeof heldView>;

const healthView = z.object({
  failingSince: z.iso
    .datetime()
    .nullable()
    .describe('The first failed attempt since the last success, or since it was enabled. Null: it does not fail.'),
  lastSuccessAt: z.iso.datetime().nullable().describe('To the minute. Null: none that is known of.'),
  disablesAt: z.iso
    .datetime()
    .nullable()
    .describe('When it is disabled, if nothing succeeds until then though it is tried. Null: nothing points to that.'),
  awaitsProof: z
    .boolean()
    .describe(
      'It fails, and nothing has succeeded to any subscription either: that may be our own way out, and it is not disabled before something does.',
    ),
  warnings: z
    .array(
      z.object({
        afterSeconds: z.number().describe('How long nothing had succeeded by then.'),
        at: z.iso.datetime(),
      }),
    )
    .describe('Those that were given of this failure, by the time of the log.'),
  waiting: z
    .int()
    .nullable()
    .describe(
      'Deliveries that wait for it, where it fails or is not enabled; `held` has what it has not matched. Null elsewhere, in lists, and where it is not known at the moment.',
    ),
});
export type HealthView = z.infer<typeof healthView>;

export const subscriptionView = z.object({
  id: z.string(),
  tenantId: z.string(),
  url: z.string(),
  types: z.array(z.string()),
  status,
  disabledReason: z
    .enum(['owner', 'endpoint-gone', 'failing'])
    .nullable()
    .describe(
      '`owner`: by this API. `endpoint-gone`: the endpoint answered 410. `failing`: nothing succeeded for too long. Null unless it is disabled.',
    ),
  disabledAt: z.iso.datetime().nullable().describe('Null unless it is disabled, or where it is not known.'),
  ordering: z.enum(['none', 'key']),
  rateLimit: z.object(rateLimit).nullable(),
  maxInFlight: z.int().nullable(),
  health: healthView,
  held: heldView.nullable().describe('What it has not got, and may still get by a catch-up. Null: nothing.'),
  description: z.string().nullable(),
  headerNames: z.array(z.string()),
  version: z.int(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type SubscriptionView = z.infer<typeof subscriptionView>;

const catchUpView = z.object({
  replayId: z.string().nullable().describe('The replay that catches up; null where none was asked for.'),
  partitions: ranges,
  events: z.int().nullable().describe('An upper bound: it may not match all of them. Null: not known at the moment.'),
  deliveries: z
    .object({
      held: z.int(),
      pending: z.int(),
      retrying: z.int(),
      deadLettered: z.int().describe('Given up since the first failure, for the endpoint failed or was gone.'),
    })
    .nullable()
    .describe('Deliveries among them, as far as the recorder knows. Null: not known at the moment.'),
  letGoAt: z.iso
    .datetime()
    .nullable()
    .describe('When the log lets go of the first of the events, at the earliest. Null: not known, or there is none.'),
});
export type CatchUpView = z.infer<typeof catchUpView>;

export const changedSubscriptionView = subscriptionView.extend({
  catchUp: catchUpView
    .nullable()
    .describe('What the catch-up sends, or what one would send. Null where the request did not enable anything.'),
});
export type ChangedSubscriptionView = z.infer<typeof changedSubscriptionView>;

export const newSubscriptionView = subscriptionView.extend({
  secret: z.string().describe('The signing secret, shown this once.'),
});
export type NewSubscriptionView = z.infer<typeof newSubscriptionView>;

export const listSubscriptions = z.strictObject({
  tenantId: z.string().max(100).optional().describe('Only with the operator token, and needed there.'),
  status: status.optional(),
  failing: z
    .literal('true', 'must be true')
    .optional()
    .describe('Only those whose last attempts failed, without a success since.'),
  ...pageQuery,
});
export type ListSubscriptions = z.infer<typeof listSubscriptions>;
