import type { CredentialRecord, SubscriptionRecord } from '@hookline/contracts';
import { isLive } from '@hookline/domain';

/** A record of a compacted topic, and when it was appended. */
export interface FoundRecord<T> {
  record: T;
  at: Date;
}

const HINT_LENGTH = 11;

/** A key's row; its name was in the database only. */
export function keyRow({ record, at }: FoundRecord<CredentialRecord>) {
  const { id, tenant, hash, status, version } = record;
  return {
    id,
    tenant_id: tenant,
    hash,
    hint: `hk_${id.slice('key_'.length)}`.slice(0, HINT_LENGTH),
    name: 'rebuilt from the log',
    status,
    version,
    created_at: at,
    revoked_at: status === 'revoked' ? at : null,
  };
}

/**
 * As it stands when its catch-up is gone, with the database that knew of it: nothing waits for that any more. That is a version
 * of its own, which has to be told to the workers.
 */
export function withoutCatchUp<T extends FoundRecord<SubscriptionRecord>>({
  record,
  at,
}: T): FoundRecord<SubscriptionRecord> {
  const { catchingUp: _, ...rest } = record;
  return { record: { ...rest, version: record.version + 1 }, at };
}

/**
 * A subscription's row. Its description was in the database only. Who disabled it was, too, of records from before they said
 * so: it counts as its owner's doing then, so that nothing enables it by itself.
 */
export function subscriptionRow({ record, at }: FoundRecord<SubscriptionRecord>) {
  const isDisabled = record.status === 'disabled';
  const { by = 'owner', at: since = at.getTime() } = record.disabled ?? {};
  return {
    id: record.id,
    tenant_id: record.tenant,
    url: record.url,
    types: record.types,
    status: record.status,
    description: null,
    sealed: record.sealed,
    version: record.version,
    created_at: at,
    updated_at: at,
    deleted_at: record.status === 'deleted' ? at : null,
    ordering: record.ordering ?? 'none',
    rate_limit: record.rateLimit ?? null,
    max_in_flight: record.maxInFlight ?? null,
    disabled_reason: isDisabled ? by : null,
    disabled_at: isDisabled ? new Date(since) : null,
    // Failures of before it was last changed don't count: nobody knows here whether it has been enabled since.
    enabled_at: record.status === 'enabled' && record.version > 1 ? at : null,
    epoch: record.epoch ?? 0,
    held_back: record.heldBack === true,
    catching_up: null,
  };
}

/**
 * What a subscription has not got while it took nothing, as far as its record remembers its versions: whether a catch-up
 * brought some of it meanwhile is not known here, and the next one asks history before it sends anything twice.
 */
export function heldSpans({ record, at }: FoundRecord<SubscriptionRecord>): HeldSpanRow[] {
  if (record.status === 'deleted') return [];
  const versions = [...(record.before ?? []).toReversed(), { ...record, live: isLive(record) }];
  const spans: HeldSpanRow[] = [];
  let open: HeldSpanRow | undefined;
  for (const { version, live: takes, holdsFrom } of versions) {
    if (takes && open !== undefined) {
      open.to_offsets = holdsFrom;
      open = undefined;
    } else if (!takes && open === undefined) {
      open = {
        subscription_id: record.id,
        tenant_id: record.tenant,
        version,
        reason: 'owner',
        since: at,
        from_offsets: holdsFrom,
        to_offsets: null,
      };
      spans.push(open);
    }
  }
  if (open !== undefined) open.reason = reasonOf(record);
  return spans;
}

interface HeldSpanRow extends Record<string, unknown> {
  subscription_id: string;
  tenant_id: string;
  /** The one that opened it. */
  version: number;
  reason: string;
  since: Date;
  from_offsets: Record<string, number>;
  to_offsets: Record<string, number> | null;
}

function reasonOf({ status, disabled }: SubscriptionRecord): string {
  if (status === 'enabled') return 'backlog';
  return status === 'paused' ? 'paused' : (disabled?.by ?? 'owner');
}
