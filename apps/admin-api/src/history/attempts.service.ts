import type { AttemptFilter, AttemptSearch, EventHistory } from '@hookline/persistence';
import { tenantFor, type Caller } from '../auth/caller.js';
import { fromCursor, type Page } from '../http/page.js';
import { invalid } from '../http/problems.js';
import { isStorable } from '../http/text.js';
import { millisOf, type Timestamp } from '../topics/timestamp.js';
import { attemptView } from './history-views.js';
import type { AttemptView, ListAttempts } from './history.schemas.js';
import type { SearchPeriod } from './search-period.js';

/** Lists attempts by what is known of them. */
export class AttemptsService {
  constructor(
    private readonly search: AttemptSearch,
    private readonly known: Pick<EventHistory, 'find' | 'deliveries'>,
    private readonly period: SearchPeriod,
  ) {}

  /** @throws ProblemError 400 */
  async page(caller: Caller, query: ListAttempts): Promise<Page<AttemptView>> {
    const tenantId = tenantFor(caller, query.tenantId);
    const { subscriptionId, type, status, outcome, error } = query;
    const filter: AttemptFilter = {
      tenantId,
      ...this.times(query),
      ...(subscriptionId !== undefined && { subscriptionId }),
      ...(type && { type }),
      ...(status && { status }),
      ...(outcome && { outcome }),
      ...(error !== undefined && { error }),
    };
    if (subscriptionId !== undefined && !isStorable(subscriptionId)) return { items: [], nextCursor: null };
    const deliveryIds = await this.deliveryIds(tenantId, query);
    if (deliveryIds?.length === 0) return { items: [], nextCursor: null };
    const wanted = { ...filter, ...(deliveryIds && { deliveryIds }) };
    const page = await fromCursor(this.search.page(wanted, query.limit, query.cursor));
    return { items: page.attempts.map(attemptView), nextCursor: page.next ?? null };
  }

  /** Events have come before their attempts: who asks for earlier attempts only is led to earlier events. */
  private times(query: ListAttempts): Pick<AttemptFilter, 'from' | 'to' | 'startedFrom' | 'startedTo'> {
    const { from, to, startedFrom, startedTo } = query;
    const event = this.period.of({ from, to }, startedFrom);
    const started = {
      from: startedFrom === undefined ? undefined : dateOf(startedFrom),
      to: startedTo === undefined ? undefined : dateOf(startedTo),
    };
    if (started.from && started.to && started.from > started.to)
      throw invalid({ field: 'startedFrom', message: 'is after startedTo' });
    const isAnyTime = from === undefined && (query.eventId ?? query.deliveryId) !== undefined;
    return {
      ...(!isAnyTime && { from: event.from }),
      ...(event.to && { to: event.to }),
      ...(started.from && { startedFrom: started.from }),
      ...(started.to && { startedTo: started.to }),
    };
  }

  /** Those that were asked for by id; undefined: any. */
  private async deliveryIds(tenantId: string, query: ListAttempts): Promise<string[] | undefined> {
    const { eventId, deliveryId } = query;
    const isWanted = (id: string): boolean => deliveryId === undefined || id === deliveryId;
    if (eventId === undefined) return deliveryId === undefined ? undefined : [deliveryId];
    const found = isStorable(eventId) ? await this.known.find(tenantId, eventId) : undefined;
    const deliveries = found ? await this.known.deliveries(found.event) : [];
    return deliveries.map(({ id }) => id).filter(isWanted);
  }
}

const dateOf = (time: Timestamp): Date => new Date(millisOf(time));
