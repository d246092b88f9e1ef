import { isSigningSecret } from '@hookline/domain';
import { z } from 'zod';
import { pageQuery } from '../http/page.js';
import { line } from '../http/text.js';

/** How many, how long and which ones exactly: `SubscriptionRules`, by the settings. */
const fields = {
  url: z.string().describe('Where webhooks are sent to: http or https, without credentials.'),
  types: z.array(z.string()).describe('Exact types (`order.created`), `prefix.*` or `*`.'),
  description: line(500).nullable(),
  headers: z.record(z.string(), z.string()).describe('Static headers, sent with each webhook; never shown again.'),
  status: z.enum(['enabled', 'disabled']),
};

export const createSubscription = z.strictObject({
  tenantId: z.string().optional().describe('Only with the operator token, and needed there.'),
  url: fields.url,
  types: fields.types.prefault(['*']),
  description: fields.description.prefault(null),
  headers: fields.headers.prefault({}),
  status: fields.status.prefault('enabled'),
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
    status: fields.status.optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, 'must name at least one field to change');
export type PatchSubscription = z.infer<typeof patchSubscription>;

export const subscriptionView = z.object({
  id: z.string(),
  tenantId: z.string(),
  url: z.string(),
  types: z.array(z.string()),
  status: z.enum(['enabled', 'disabled']),
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
