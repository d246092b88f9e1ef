import { z } from 'zod';
import { pageQuery } from '../http/page.js';
import { label } from '../http/text.js';

export const createTenant = z.strictObject({ name: label(200).describe('For people to read.') });
export type CreateTenant = z.infer<typeof createTenant>;

export const tenantView = z.object({ id: z.string(), name: z.string(), createdAt: z.iso.datetime() });
export type TenantView = z.infer<typeof tenantView>;

export const listTenants = z.strictObject(pageQuery);
export type ListTenants = z.infer<typeof listTenants>;
