import type { OutcomeRecord } from '@hookline/contracts';
import type { PoolClient } from 'pg';
import type { OutcomeToRecord } from './attempt-rows.js';
import { binaryArray, BOOLEAN, INT4, INT8, TEXT, TIMESTAMP, UUID } from './binary-array.js';
import { isSoleMatch, mergeDeliveries, mergeReplayDeliveries } from './delivery-merge.js';

/** What the outcome that counts decides. */
const DECIDED = [
  'state',
  'next_attempt_at',
  'reason',
  'last_status',
  'last_error',
  'replay_id',
  'updated_at',
  'outcome_offset',
];

/** As `outranks` has it. */
const RANK = (row: string): string =>
  `(${row}.state = 'delivered', ${row}.state <> 'pending', ${row}.updated_at, ${row}.outcome_offset)`;
const OUTRANKS = `${RANK('excluded')} > ${RANK('d')}`;

const UPSERT_DELIVERIES = `
  INSERT INTO deliveries AS d (delivery_id, event_at, event_partition, event_offset, tenant_id, subscription_id,
    event_id, type, state, attempts, next_attempt_at, reason, last_status, last_error, replay_id, sole_match,
    updated_at, outcome_offset)
  SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::int4[], $4::int8[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::int4[], $11::timestamptz[], $12::text[], $13::int4[], $14::text[], $15::text[],
    $16::bool[], $17::timestamptz[], $18::int8[])
  ON CONFLICT (delivery_id, event_at) DO UPDATE SET
    attempts = greatest(d.attempts, excluded.attempts),
    sole_match = d.sole_match OR excluded.sole_match,
    ${DECIDED.map((column) => `${column} = CASE WHEN ${OUTRANKS} THEN excluded.${column} ELSE d.${column} END`).join(',\n    ')}`;

export async function upsertDeliveries(client: PoolClient, outcomes: readonly OutcomeToRecord[]): Promise<number> {
  const rows = mergeDeliveries(outcomes);
  if (rows.length === 0) return 0;
  await client.query({
    name: 'upsert-deliveries',
    text: UPSERT_DELIVERIES,
    values: [
      binaryArray(UUID, rows, (row) => row.uuid),
      binaryArray(TIMESTAMP, rows, (row) => row.outcome.source.at),
      binaryArray(INT4, rows, (row) => row.outcome.source.partition),
      binaryArray(INT8, rows, (row) => row.outcome.source.offset),
      binaryArray(TEXT, rows, (row) => row.outcome.tenant),
      binaryArray(TEXT, rows, (row) => row.delivery.subscriptionId),
      binaryArray(TEXT, rows, (row) => row.outcome.eventId),
      binaryArray(TEXT, rows, (row) => row.outcome.type),
      binaryArray(TEXT, rows, (row) => row.delivery.state),
      binaryArray(INT4, rows, (row) => row.attempts),
      binaryArray(TIMESTAMP, rows, (row) => row.delivery.nextAttemptAt),
      binaryArray(TEXT, rows, (row) => row.delivery.reason),
      binaryArray(INT4, rows, (row) => row.delivery.attempt?.status),
      binaryArray(TEXT, rows, (row) => row.delivery.attempt?.error),
      binaryArray(TEXT, rows, (row) => row.delivery.replayId),
      binaryArray(BOOLEAN, rows, (row) => row.soleMatch),
      binaryArray(TIMESTAMP, rows, (row) => row.at),
      binaryArray(INT8, rows, (row) => row.offset),
    ],
  });
  return rows.length;
}

const UPSERT_REPLAY_DELIVERIES = `
  INSERT INTO replay_deliveries AS d (replay_id, delivery_id, event_at, state, updated_at, outcome_offset)
  SELECT * FROM unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::text[], $5::timestamptz[], $6::int8[])
  ON CONFLICT (replay_id, delivery_id, event_at) DO UPDATE SET
    state = excluded.state, updated_at = excluded.updated_at, outcome_offset = excluded.outcome_offset
  WHERE ${OUTRANKS}`;

export async function upsertReplayDeliveries(
  client: PoolClient,
  outcomes: readonly OutcomeToRecord[],
): Promise<number> {
  const rows = mergeReplayDeliveries(outcomes);
  if (rows.length === 0) return 0;
  await client.query({
    name: 'upsert-replay-deliveries',
    text: UPSERT_REPLAY_DELIVERIES,
    values: [
      binaryArray(TEXT, rows, (row) => row.delivery.replayId),
      binaryArray(UUID, rows, (row) => row.uuid),
      binaryArray(TIMESTAMP, rows, (row) => row.outcome.source.at),
      binaryArray(TEXT, rows, (row) => row.delivery.state),
      binaryArray(TIMESTAMP, rows, (row) => row.at),
      binaryArray(INT8, rows, (row) => row.offset),
    ],
  });
  return rows.length;
}

/**
 * A route is decided once; after a crash it may be told again, alike, and one with very many ids is told in several
 * records. The ids travel as JSON: an array of arrays has no unnest.
 */
const INSERT_ROUTES = `
  INSERT INTO event_routes (partition, "offset", appended_at, matched, duplicate_of)
  SELECT r.partition, r."offset", r.appended_at,
         ARRAY(SELECT jsonb_array_elements_text(r.matched::jsonb)), r.duplicate_of
    FROM unnest($1::int4[], $2::int8[], $3::timestamptz[], $4::text[], $5::int8[])
      AS r(partition, "offset", appended_at, matched, duplicate_of)
   ORDER BY 1, 2
  ON CONFLICT (partition, "offset", appended_at) DO UPDATE
     SET matched = ARRAY(SELECT DISTINCT unnest(event_routes.matched || EXCLUDED.matched))
   WHERE event_routes.matched <> EXCLUDED.matched`;

export async function insertRoutes(client: PoolClient, outcomes: readonly OutcomeToRecord[]): Promise<number> {
  const rows = mergedRoutes(outcomes.map(({ outcome }) => outcome));
  if (rows.length === 0) return 0;
  await client.query({
    name: 'insert-routes',
    text: INSERT_ROUTES,
    values: [
      binaryArray(INT4, rows, (row) => row.source.partition),
      binaryArray(INT8, rows, (row) => row.source.offset),
      binaryArray(TIMESTAMP, rows, (row) => row.source.at),
      binaryArray(TEXT, rows, (row) => JSON.stringify(row.matched)),
      binaryArray(INT8, rows, (row) => row.duplicateOf),
    ],
  });
  return rows.length;
}

/** One for each event: a statement may not touch a row twice. */
function mergedRoutes(outcomes: readonly OutcomeRecord[]): OutcomeRecord[] {
  const merged = new Map<string, OutcomeRecord>();
  for (const outcome of outcomes) {
    if (outcome.matched === undefined || isSoleMatch(outcome)) continue;
    const { partition, offset, at } = outcome.source;
    const key = `${partition}:${offset}:${at}`;
    const before = merged.get(key);
    const matched =
      before === undefined ? outcome.matched : [...new Set([...(before.matched ?? []), ...outcome.matched])];
    merged.set(key, { ...(before ?? outcome), matched });
  }
  return [...merged.values()];
}
