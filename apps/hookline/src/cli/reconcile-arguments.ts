import { parseDelay } from '@hookline/contracts';
import { isId } from '@hookline/domain';
import type { ReconcileOptions } from '../commands/reconcile.js';
import { parseBoundary } from '../reconcile/range.js';
import { UsageError } from './usage-error.js';

export const RECONCILE_OPTIONS = {
  from: { type: 'string' },
  to: { type: 'string' },
  subscription: { type: 'string' },
  tenant: { type: 'string' },
  list: { type: 'string', default: '100' },
  wait: { type: 'string', default: '1m' },
  json: { type: 'boolean' },
  repair: { type: 'boolean' },
  yes: { type: 'boolean' },
} as const;

export interface ReconcileArguments extends Pick<
  ReconcileOptions,
  'tenant' | 'subscription' | 'json' | 'repair' | 'yes'
> {
  from?: string | undefined;
  to?: string | undefined;
  list: string;
  wait: string;
}

const MOST_LISTED = 1_000_000;

/** @throws UsageError naming the option */
export function parseReconcile({ from, to, list, wait, subscription, ...rest }: ReconcileArguments): ReconcileOptions {
  const waitMs = parseDelay(wait);
  if (waitMs === undefined) throw new UsageError(`--wait is a time like 90s or 2m, not ${wait}.`);
  const listed = Number(list);
  if (!/^\d+$/.test(list) || listed < 1 || listed > MOST_LISTED)
    throw new UsageError(`--list is a number from 1 to ${MOST_LISTED}, not ${list}.`);
  if (subscription !== undefined && !isId('sub', subscription))
    throw new UsageError(`--subscription is a subscription's id (sub_…), not ${subscription}.`);
  if (rest.yes === true && rest.repair !== true) throw new UsageError('--yes is for --repair only.');
  return {
    ...rest,
    subscription,
    from: parseBoundary(from, '--from'),
    to: parseBoundary(to, '--to'),
    list: listed,
    waitMs,
  };
}
