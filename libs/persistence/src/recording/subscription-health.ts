import type { PoolClient } from 'pg';
import type { OutcomeToRecord } from './attempt-rows.js';
import { binaryArray, TEXT, TIMESTAMP } from './binary-array.js';

/**
 * How exact the last success and the last failure are kept: a healthy subscription costs a row in this time, and not one
 * in each batch. A failure so shortly after a success begins nothing yet, or one that fails now and then would cost two.
 */
const COARSE_MS = 60_000;
const COARSE = `interval '${COARSE_MS} ms'`;

/** What a batch says of a subscription's attempts; all times are append times, ms since the epoch. */
interface SaidOfHealth {
  subscriptionId: string;
  succeededAt: number | undefined;
  /** The first and the last failure of those that no success in the batch answers. */
  failingFrom: number | undefined;
  failedAt: number | undefined;
}

/**
 * By subscription id, for two recorders lock the rows in one order. Only attempts count: what was put off says nothing of
 * the endpoint.
 */
function saidOfHealth(outcomes: readonly OutcomeToRecord[]): SaidOfHealth[] {
  const said = new Map<string, SaidOfHealth>();
  const ofSubscription = (subscriptionId: string): SaidOfHealth => {
    const known = said.get(subscriptionId);
    if (known !== undefined) return known;
    const fresh = { subscriptionId, succeededAt: undefined, failingFrom: undefined, failedAt: undefined };
    said.set(subscriptionId, fresh);
    return fresh;
  };
  for (const { position, outcome } of outcomes) {
    if (outcome.delivery?.state !== 'delivered') continue;
    const its = ofSubscription(outcome.delivery.subscriptionId);
    its.succeededAt = Math.max(its.succeededAt ?? -Infinity, position.at);
  }
  for (const { position, outcome } of outcomes) {
    if (outcome.delivery?.attempt === undefined || outcome.delivery.state === 'delivered') continue;
    const its = ofSubscription(outcome.delivery.subscriptionId);
    if (its.succeededAt !== undefined && position.at < its.succeededAt + COARSE_MS) continue;
    its.failingFrom = Math.min(its.failingFrom ?? Infinity, position.at);
    its.failedAt = Math.max(its.failedAt ?? -Infinity, position.at);
  }
  return [...said.values()].sort((a, b) => (a.subscriptionId < b.subscriptionId ? -1 : 1));
}

/** $5: ms. It fails anew where it was not tried for so long: nothing is known of the time between. */
const NOT_TRIED = `excluded.failing_since > h.failed_at + $5 * interval '1 ms'`;
const SUCCESS = 'greatest(h.last_success_at, excluded.last_success_at)';
const ANSWERED = `greatest(${SUCCESS}, excluded.enabled_at)`;

/** What was answered by a success, or forgiven by being enabled, counts no longer, in whichever order they come. */
const FAILING_SINCE = `coalesce(
  least(
    CASE WHEN h.failing_since > coalesce(${ANSWERED}, '-infinity') AND (${NOT_TRIED}) IS NOT TRUE
         THEN h.failing_since END,
    CASE WHEN excluded.failing_since >= coalesce(${SUCCESS} + ${COARSE}, '-infinity')
          AND excluded.failing_since > coalesce(excluded.enabled_at, '-infinity') THEN excluded.failing_since END),
  CASE WHEN h.failing_since IS NOT NULL AND h.failed_at > ${ANSWERED} THEN h.failed_at END)`;

/** Most batches tell nothing new, which is found out without a lock; the rows that are written look once more. */
const RECORD = `
  INSERT INTO subscription_health AS h (subscription_id, failing_since, failed_at, last_success_at, enabled_at)
  SELECT said.id, CASE WHEN said.failing_from > coalesce(s.enabled_at, '-infinity') THEN said.failing_from END,
         said.failed_at, said.succeeded_at, s.enabled_at
    FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[])
           AS said(id, succeeded_at, failing_from, failed_at)
    JOIN subscriptions s ON s.id = said.id
    LEFT JOIN subscription_health known ON known.subscription_id = said.id
   WHERE known.subscription_id IS NULL
      OR said.succeeded_at >= known.failing_since
      OR said.succeeded_at >= coalesce(known.last_success_at + ${COARSE}, '-infinity')
      OR (said.failing_from < coalesce(known.failing_since, 'infinity')
          AND said.failing_from >= coalesce(known.last_success_at + ${COARSE}, '-infinity')
          AND said.failing_from > coalesce(s.enabled_at, '-infinity'))
      OR said.failed_at >= known.failed_at + ${COARSE}
      OR (known.failing_since <= s.enabled_at AND said.failed_at > s.enabled_at)
   ORDER BY said.id
  ON CONFLICT (subscription_id) DO UPDATE SET
    failing_since = ${FAILING_SINCE},
    failed_at = greatest(h.failed_at, excluded.failed_at),
    last_success_at = ${SUCCESS},
    enabled_at = excluded.enabled_at,
    warned_ms = CASE WHEN ${FAILING_SINCE} <= h.failing_since THEN h.warned_ms ELSE 0 END`;

/**
 * Keeps since when each subscription fails. It matters little in which order outcomes come, nor in which batches: what is
 * kept may be off by a minute until the next attempt.
 * @param gapMs how long no attempt may be known of for the failure to count as one and the same
 * @returns how many rows were written
 */
export async function recordHealth(
  client: PoolClient,
  outcomes: readonly OutcomeToRecord[],
  gapMs: number,
): Promise<number> {
  const said = saidOfHealth(outcomes);
  if (said.length === 0) return 0;
  const { rowCount } = await client.query({
    name: 'record-health',
    text: RECORD,
    values: [
      binaryArray(TEXT, said, (each) => each.subscriptionId),
      binaryArray(TIMESTAMP, said, (each) => each.succeededAt),
      binaryArray(TIMESTAMP, said, (each) => each.failingFrom),
      binaryArray(TIMESTAMP, said, (each) => each.failedAt),
      gapMs,
    ],
  });
  return rowCount ?? 0;
}
