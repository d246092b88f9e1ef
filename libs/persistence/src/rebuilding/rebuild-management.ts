import { TOPICS, type CredentialRecord, type SubscriptionRecord } from '@hookline/contracts';
import type { EntityManager } from 'typeorm';
import { enqueue, type PendingSubscription } from '../management/enqueue.js';
import { lockEmpty } from './only-empty.js';
import { heldSpans, keyRow, subscriptionRow, withoutCatchUp, type FoundRecord } from './management-rows.js';

export interface RebuiltRows {
  tenants: number;
  keys: number;
  subscriptions: number;
  /** Of those that take nothing, or did. */
  heldSpans: number;
  /** Those whose catch-up is gone. */
  caughtUpNoMore: string[];
}

/** Rows in one statement. */
const BATCH = 500;

/**
 * Fills tenants, keys, subscriptions and what these have not got from the records of the compacted topics.
 * @param manager in a transaction
 * @throws Refusal where the database has any of these already, or history
 */
export async function rebuildManagement(
  manager: EntityManager,
  keys: readonly FoundRecord<CredentialRecord>[],
  found: readonly FoundRecord<SubscriptionRecord>[],
): Promise<RebuiltRows> {
  await lockEmpty(manager);
  const ended = found.filter(({ record }) => record.catchingUp !== undefined).map(withoutCatchUp);
  const subscriptions = [...found.filter(({ record }) => record.catchingUp === undefined), ...ended];
  const tenants = tenantRows([...keys, ...subscriptions]);
  const spans = subscriptions.flatMap(heldSpans);
  await insert(manager, 'tenants', tenants);
  await insert(manager, 'api_keys', keys.map(keyRow));
  await insert(manager, 'subscriptions', subscriptions.map(subscriptionRow));
  await insert(manager, 'held_spans', spans);
  if (ended.length > 0) await enqueue(manager, TOPICS.subscriptions, ...ended.map(({ record }) => pending(record)));
  return {
    tenants: tenants.length,
    keys: keys.length,
    subscriptions: subscriptions.length,
    heldSpans: spans.length,
    caughtUpNoMore: ended.map(({ record }) => record.id),
  };
}

function pending({ holdsFrom: _, before: __, ...record }: SubscriptionRecord): PendingSubscription {
  return record;
}

/** Of a tenant only the id is in the log, in what belongs to it. */
function tenantRows(found: readonly FoundRecord<{ tenant: string }>[]) {
  const since = new Map<string, Date>();
  for (const { record, at } of found) {
    const first = since.get(record.tenant);
    if (first === undefined || at < first) since.set(record.tenant, at);
  }
  return [...since].map(([id, created_at]) => ({ id, name: id, created_at }));
}

async function insert(manager: EntityManager, table: string, rows: readonly Record<string, unknown>[]): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const columns = Object.keys(first).join(', ');
  for (let at = 0; at < rows.length; at += BATCH)
    await manager.query(
      `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(NULL::${table}, $1::jsonb)`,
      [JSON.stringify(rows.slice(at, at + BATCH))],
    );
}
