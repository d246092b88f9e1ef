import { matchesType } from '@hookline/domain';
import type { DeliveryHistory, EventHistory, RecordedDelivery } from '@hookline/persistence';
import { scopeOf, tenantFor, type Caller } from '../auth/caller.js';
import { fromCursor, invalidCursor, type Page } from '../http/page.js';
import { notFound } from '../http/problems.js';
import { isStorable } from '../http/text.js';
import { millisOf } from '../topics/timestamp.js';
import type { SearchPeriod } from './search-period.js';
import { deliverySummary, deliveryView, eventSummary, withAttempts } from './history-views.js';
import type { DeliveryView, DeliveryWithAttempts, EventQuery, EventView, ListDeliveries } from './history.schemas.js';

/** What the recorder has written, as a caller may see it. It lags behind the log by what the recorder has not read yet. */
export class HistoryService {
  constructor(
    private readonly events: EventHistory,
    private readonly deliveries: DeliveryHistory,
    private readonly period: SearchPeriod,
  ) {}

  async event(caller: Caller, id: string, query: EventQuery): Promise<EventView> {
    const found = isStorable(id) ? await this.events.find(tenantFor(caller, query.tenantId), id) : undefined;
    if (found === undefined) throw notFound('event');
    const [payload, deliveries] = await Promise.all([
      this.events.payload(found.event),
      this.events.deliveries(found.event),
    ]);
    return {
      ...eventSummary(found.event),
      payload: payload?.toString('utf8') ?? null,
      data: payload === undefined ? null : dataOf(payload),
      repeats: found.repeats.map(eventSummary),
      deliveries: deliveries.map(deliverySummary),
    };
  }

  async list(caller: Caller, query: ListDeliveries): Promise<Page<DeliveryView>> {
    const tenantId = tenantFor(caller, query.tenantId);
    const { from, to } = this.period.of(query);
    if (query.eventId !== undefined) return this.ofEvent(tenantId, query.eventId, query);
    const { subscriptionId, state, type, status } = query;
    if (subscriptionId !== undefined && !isStorable(subscriptionId)) return { items: [], nextCursor: null };
    const filter = {
      tenantId,
      from,
      ...(to && { to }),
      ...(subscriptionId !== undefined && { subscriptionId }),
      ...(state && { state }),
      ...(type && { type }),
      ...(status && { status }),
    };
    const page = await fromCursor(this.deliveries.list(filter, query.limit, query.cursor));
    return { items: page.deliveries.map(deliveryView), nextCursor: page.next ?? null };
  }

  async delivery(caller: Caller, id: string): Promise<DeliveryWithAttempts> {
    const found = await this.deliveries.get(scopeOf(caller), id);
    if (found === undefined) throw notFound('delivery');
    return withAttempts(found.delivery, found.attempts);
  }

  /** An event has no more deliveries than its tenant has subscriptions; they are ordered by subscription. */
  private async ofEvent(tenantId: string, eventId: string, query: ListDeliveries): Promise<Page<DeliveryView>> {
    const found = isStorable(eventId) ? await this.events.find(tenantId, eventId) : undefined;
    const all = found ? await this.events.deliveries(found.event) : [];
    const after = query.cursor === undefined ? undefined : subscriptionOf(query.cursor);
    const wanted = all.filter(
      (delivery) =>
        (after === undefined || delivery.subscriptionId > after) &&
        (query.subscriptionId === undefined || delivery.subscriptionId === query.subscriptionId) &&
        (query.state === undefined || delivery.state === query.state) &&
        (query.status === undefined || delivery.lastStatus === query.status) &&
        delivery.event.at >= (query.from === undefined ? 0 : millisOf(query.from)) &&
        delivery.event.at < (query.to === undefined ? Infinity : millisOf(query.to)) &&
        matchesType(query.type ?? '*', delivery.event.type),
    );
    const items = wanted.slice(0, query.limit);
    const last = wanted.length > items.length ? items.at(-1) : undefined;
    return { items: items.map(deliveryView), nextCursor: last ? cursorAt(last) : null };
  }
}

function cursorAt({ subscriptionId }: RecordedDelivery): string {
  return Buffer.from(subscriptionId).toString('base64url');
}

function subscriptionOf(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!/^sub_[0-9a-z]{20}$/.test(text)) throw invalidCursor();
  return text;
}

/** The payload was checked to be JSON when it was published; if it is not, its text is shown. */
function dataOf(payload: Buffer): unknown {
  const text = payload.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
