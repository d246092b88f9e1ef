import { isId } from '@hookline/domain';
import { deliveryUuid, type DeadLetterFilter } from '@hookline/persistence';
import { invalid } from '../http/problems.js';
import { millisOf, type Timestamp } from '../topics/timestamp.js';

/** As it was asked for. */
export interface Asked {
  reasons?: readonly string[] | undefined;
  subscriptionIds?: readonly string[] | undefined;
  types?: readonly string[] | undefined;
  deliveryIds?: readonly string[] | undefined;
  from?: Timestamp | undefined;
  to?: Timestamp | undefined;
}

/**
 * @param since where it begins if it does not say so
 * @throws ProblemError 400 for a period that is turned around
 */
export function wantedOf(tenantId: string, asked: Asked, since: Date): DeadLetterFilter {
  const { reasons, subscriptionIds, types, deliveryIds } = asked;
  return {
    tenantId,
    ...(reasons && { reasons }),
    // What is no id finds nothing, and may not even be a text that PostgreSQL holds.
    ...(subscriptionIds && { subscriptionIds: subscriptionIds.filter((id) => isId('sub', id)) }),
    ...(types && { types }),
    ...(deliveryIds && { deliveries: deliveryIds.map((id) => deliveryUuid(id)).filter((id) => id !== undefined) }),
    ...periodOf(asked, since),
  };
}

/** @throws ProblemError 400 */
export function periodOf({ from, to }: Pick<Asked, 'from' | 'to'>, since: Date): { from: Date; to?: Date } {
  const begin = from === undefined ? since : new Date(millisOf(from));
  if (to === undefined) return { from: begin };
  const end = new Date(millisOf(to));
  if (from !== undefined && begin > end) throw invalid({ field: 'from', message: 'is after to' });
  return { from: begin, to: end };
}
