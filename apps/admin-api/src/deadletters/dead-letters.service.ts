import { isId } from '@hookline/domain';
import {
  type DeadLetterHistory,
  type DeadLetterRecord,
  type ListedRecord,
  type DeadLetterRecords,
  type RecordedDeadLetter,
} from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import { scopeOf, tenantFor, type Caller } from '../auth/caller.js';
import { deliveryView } from '../history/history-views.js';
import { fromCursor, invalidCursor, type Page } from '../http/page.js';
import { periodOf, wantedOf } from './dead-letter-filter.js';
import type {
  DeadLetterView,
  ListDeadLetters,
  ListRecords,
  RecordView,
  Summarize,
  SummaryView,
} from './dead-letters.schemas.js';

const MAX_GROUPS = 1_000;

/** Dead letters, as a caller may see them. */
export class DeadLettersService {
  /** @param keptMs how long dead letters are kept: how far a list goes back where it is not said */
  constructor(
    private readonly history: DeadLetterHistory,
    private readonly others: DeadLetterRecords,
    private readonly clock: Clock,
    private readonly keptMs: number,
  ) {}

  async list(caller: Caller, query: ListDeadLetters): Promise<Page<DeadLetterView>> {
    const tenantId = tenantFor(caller, query.tenantId);
    const filter = wantedOf(tenantId, severalOf(query), this.since());
    const page = await fromCursor(this.history.list(filter, query.discarded, query.limit, query.cursor));
    return { items: page.letters.map(letterView), nextCursor: page.next ?? null };
  }

  async summary(caller: Caller, query: Summarize): Promise<SummaryView> {
    const tenantId = tenantFor(caller, query.tenantId);
    const filter = wantedOf(tenantId, severalOf(query), this.since());
    const { subscriptionId } = query;
    const of = { tenantId, ...(subscriptionId === undefined ? {} : { subscriptionId }) };
    const [groups, records] = await Promise.all([
      this.history.summary(filter, query.groupBy === 'subscription', MAX_GROUPS),
      isNoSubscription(subscriptionId) ? [] : this.others.counts({ ...of, ...periodOf(query, this.since()) }),
    ]);
    return {
      groups: groups.map(({ oldestAt, newestAt, ...group }) => {
        return { ...group, oldestAt: oldestAt.toISOString(), newestAt: newestAt.toISOString() };
      }),
      records,
    };
  }

  async records(caller: Caller, query: ListRecords): Promise<Page<RecordView>> {
    const { kind, subscriptionId, discarded, limit } = query;
    const tenantId = query.tenantId === undefined ? scopeOf(caller) : tenantFor(caller, query.tenantId);
    const filter = {
      tenantId,
      ...(kind === undefined ? {} : { kind }),
      ...(subscriptionId === undefined ? {} : { subscriptionId }),
      ...periodOf(query, this.since()),
    };
    const place = placeOf(query.cursor);
    const rows = isNoSubscription(subscriptionId) ? [] : await this.others.list(filter, discarded, limit + 1, place);
    const shown = rows.slice(0, limit);
    const last = rows.length > limit ? shown.at(-1) : undefined;
    return { items: shown.map(recordView), nextCursor: last === undefined ? null : cursorAt(last) };
  }

  private since(): Date {
    return new Date(this.clock.now() - this.keptMs);
  }
}

/** What is no id finds nothing, and may not even be a text that PostgreSQL holds. */
function isNoSubscription(id: string | undefined): boolean {
  return id !== undefined && !isId('sub', id);
}

function severalOf({
  reason,
  subscriptionId,
  type,
  from,
  to,
}: Pick<ListDeadLetters, 'reason' | 'subscriptionId' | 'type' | 'from' | 'to'>): Parameters<typeof wantedOf>[1] {
  return {
    reasons: reason && [reason],
    subscriptionIds: subscriptionId === undefined ? undefined : [subscriptionId],
    types: type === undefined ? undefined : [type],
    from,
    to,
  };
}

function letterView({ delivery, discarded }: RecordedDeadLetter): DeadLetterView {
  return {
    ...deliveryView(delivery),
    discarded: discarded === undefined ? null : { ...discarded, at: discarded.at.toISOString() },
  };
}

function recordView({ key: _, said, appendedAt, redrivenAt, discarded, ...record }: ListedRecord): RecordView {
  return {
    ...record,
    appendedAt: appendedAt.toISOString(),
    range: (said['range'] as RecordView['range'] | undefined) ?? null,
    origin: (said['origin'] as string | undefined) ?? null,
    detail: (said['detail'] as string | undefined) ?? null,
    redrivenAt: redrivenAt?.toISOString() ?? null,
    discarded: discarded && { ...discarded, at: discarded.at.toISOString() },
  };
}

function cursorAt({ appendedAt, key }: DeadLetterRecord): string {
  return Buffer.from(`${appendedAt.getTime()}.${key}`).toString('base64url');
}

function placeOf(cursor: string | undefined): { at: Date; key: string } | undefined {
  if (cursor === undefined) return undefined;
  const match = /^(\d{1,14})\.([0-9a-f]{32})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (!match) throw invalidCursor();
  return { at: new Date(Number(match[1])), key: match[2] as string };
}
