import { isSigningSecret } from '@hookline/domain';
import { z } from 'zod';
import { pageQuery } from '../http/page.js';
import { line } from '../http/text.js';

const MIN_PER_SECOND = 0.001;

const aNumber = z.number('must be a number');
const aCount = z.int('must be a whole number').min(1, 'must be at least 1');
const rateLimit = {
  perSecond: aNumber.min(MIN_PER_SECOND, `must be at least ${MIN_PER_SECOND}`),
  burst: aCount.describe('Attempts that may come at once after a pause.'),
};

/** How many, how long and which ones exactly: `SubscriptionRules`, by the settings. */
const fields = {
  url: z.string().describe('Where webhooks are sent to: http or https, without credentials.'),
  types: z.array(z.string()).describe('Exact types (`order.created`), `prefix.*` or `*`.'),
  description: line(500).nullable(),
  headers: z.record(z.string(), z.string()).describe('Static headers, sent with each webhook; never shown again.'),
  status: z.enum(['enabled', 'disabled']),
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
  })
  .refine((patch) => Object.keys(patch).length > 0, 'must name at least one field to change');
export type PatchSubscription = z.infer<typeof patchSubscription>;

export const subscriptionView = z.object({
  id: z.string(),
  tenantId: z.string(),
  url: z.string(),
  types: z.array(z.string()),
  status: z.enum(['enabled', 'disabled']),
  disabledReason: z
    .enum(['owner', 'endpoint-gone'])
    .nullable()
    .describe('`owner`: by this API. `endpoint-gone`: the endpoint answered 410. Null while it is enabled.'),
  disabledAt: z.iso.datetime().nullable().describe('Null while it is enabled, or where it is not known.'),
  ordering: z.enum(['none', 'key']),
  rateLimit: z.object(rateLimit).nullable(),
  maxInFlight: z.int().nullable(),
  description: z.string().nullable(),
  headerNames: z.array(z.string()),
  version: z.int(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type SubscriptionView = z.infer<typeof subscriptionView>;

export const newSubscriptionView = subscriptionView.extend({
  secret: z.string().describe('The signing secret, shown this once.'),
});
export type NewSubscriptionView = z.infer<typeof newSubscriptionView>;

export const listSubscriptions = z.strictObject({
  tenantId: z.string().max(100).optional().describe('Only with the operator token, and needed there.'),
  status: z.enum(['enabled', 'disabled']).optional(),
  ...pageQuery,
});
export type ListSubscriptions = z.infer<typeof listSubscriptions>;
