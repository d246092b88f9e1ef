import { z } from 'zod';
import { pageQuery } from '../http/page.js';
import { label } from '../http/text.js';

export const createKey = z.strictObject({ name: label(200).describe('For people to know it by.') });
export type CreateKey = z.infer<typeof createKey>;

export const keyView = z.object({
  id: z.string(),
  tenantId: z.string(),
  name: z.string(),
  hint: z.string().describe('The start of the key.'),
  status: z.enum(['active', 'revoked']),
  createdAt: z.iso.datetime(),
  revokedAt: z.iso.datetime().nullable(),
});
export type KeyView = z.infer<typeof keyView>;

export const newKeyView = keyView.extend({ key: z.string().describe('The key itself, shown this once.') });
export type NewKeyView = z.infer<typeof newKeyView>;

export const listKeys = z.strictObject(pageQuery);
export type ListKeys = z.infer<typeof listKeys>;
