import { isId } from '@hookline/domain';
import { invalid, notFound } from '../http/problems.js';

/** Who asks: the operator, who manages every tenant, or one tenant by one of its keys. */
export type Caller =
  { readonly kind: 'operator' } | { readonly kind: 'tenant'; readonly tenantId: string; readonly keyId: string };

/** As an audit entry names who asked. */
export function actorOf(caller: Caller): string {
  return caller.kind === 'operator' ? 'operator' : caller.keyId;
}

/** The tenant whose things may be seen by id; null: every tenant's. */
export function scopeOf(caller: Caller): string | null {
  return caller.kind === 'operator' ? null : caller.tenantId;
}

/**
 * The tenant that a request is about: the operator names it, a key has one.
 * @throws ProblemError 400 where the operator names none; 404 where a key names another's, as if it were not there
 */
export function tenantFor(caller: Caller, named: string | undefined): string {
  if (caller.kind === 'operator') {
    if (named === undefined) throw invalid({ field: 'tenantId', message: 'is required with the operator token' });
    if (!isId('ten', named)) throw notFound('tenant');
    return named;
  }
  if (named !== undefined && named !== caller.tenantId) throw notFound('tenant');
  return caller.tenantId;
}
