import { z } from 'zod';
import { pageQuery } from '../http/page.js';

export const listAudit = z.strictObject({
  tenantId: z.string().max(100).optional().describe('Only with the operator token, and needed there.'),
  ...pageQuery,
});
export type ListAudit = z.infer<typeof listAudit>;

export const auditView = z.object({
  id: z.string(),
  tenantId: z.string(),
  createdAt: z.iso.datetime(),
  actor: z.string().describe('`operator`, or the id of the API key.'),
  action: z.enum(['dead-letters.redrive', 'dead-letters.discard']),
  request: z.record(z.string(), z.unknown()).describe('What was asked for.'),
  affected: z.int().describe('How many things were changed.'),
  note: z.string().nullable(),
  replayId: z.string().nullable().describe('The replay that does it.'),
});
export type AuditView = z.infer<typeof auditView>;
