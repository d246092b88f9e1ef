import { randomBytes } from 'node:crypto';

/** A name that no other test has: for topics, groups, tenants. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}
