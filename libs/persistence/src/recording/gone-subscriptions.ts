import { TOPICS } from '@hookline/contracts';
import type { PoolClient } from 'pg';
import { enqueue } from '../management/enqueue.js';
import { toSubscriptionRecord, type PublishedSubscription } from '../management/subscription-record.js';
import type { OutcomeToRecord } from './attempt-rows.js';
import { binaryArray, INT4, TEXT, TIMESTAMP } from './binary-array.js';

/** An endpoint that answered 410 to a version of its subscription; `at` is the first such outcome's append time. */
interface Gone {
  subscriptionId: string;
  version: number;
  at: number;
}

/** Locked in the order of their ids: two recorders that meet in the same rows wait for each other. */
const DISABLE = `
  WITH gone AS (
    SELECT s.id, g.at FROM subscriptions s
      JOIN unnest($1::text[], $2::int4[], $3::timestamptz[]) AS g(id, version, at)
        ON s.id = g.id AND s.version = g.version
     WHERE s.status = 'enabled'
     ORDER BY s.id FOR UPDATE OF s)
  UPDATE subscriptions s
     SET status = 'disabled', version = s.version + 1, disabled_reason = 'endpoint-gone', disabled_at = gone.at,
         updated_at = greatest(s.updated_at, gone.at)
    FROM gone WHERE s.id = gone.id
  RETURNING s.id, s.tenant_id AS "tenantId", s.url, s.types, s.status, s.ordering, s.rate_limit AS "rateLimit",
    s.max_in_flight AS "maxInFlight", s.sealed, s.version`;

/**
 * Disables the subscriptions whose endpoints said that they are gone for good (410), and puts that on its way to the
 * workers. One that was changed or enabled again since that attempt has another version, and is left alone.
 * @returns how many there were
 */
export async function disableGone(client: PoolClient, outcomes: readonly OutcomeToRecord[]): Promise<number> {
  const gone = firstOfEach(outcomes);
  if (gone.length === 0) return 0;
  const { rows } = await client.query<PublishedSubscription>({
    name: 'disable-gone',
    text: DISABLE,
    values: [
      binaryArray(TEXT, gone, (each) => each.subscriptionId),
      binaryArray(INT4, gone, (each) => each.version),
      binaryArray(TIMESTAMP, gone, (each) => each.at),
    ],
  });
  if (rows.length > 0) await enqueue(client, TOPICS.subscriptions, ...rows.map(toSubscriptionRecord));
  return rows.length;
}

function firstOfEach(outcomes: readonly OutcomeToRecord[]): Gone[] {
  const found = new Map<string, Gone>();
  for (const { position, outcome } of outcomes) {
    if (!outcome.gone) continue;
    const { subscriptionId, version } = outcome.gone;
    const key = `${version} ${subscriptionId}`;
    const at = Math.min(position.at, found.get(key)?.at ?? Infinity);
    found.set(key, { subscriptionId, version, at });
  }
  return [...found.values()];
}
