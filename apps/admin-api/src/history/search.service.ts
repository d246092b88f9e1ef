import { matchesType } from '@hookline/domain';
import type { EventHistory, EventSearch, RecordedEvent, SearchPlaces } from '@hookline/persistence';
import { tenantFor, type Caller } from '../auth/caller.js';
import { invalidCursor, type Page } from '../http/page.js';
import { isStorable } from '../http/text.js';
import { eventSummary } from './history-views.js';
import type { EventSummary, ListEvents } from './history.schemas.js';
import type { SearchPeriod } from './search-period.js';

/** Later than any event: of a search without an end. */
const NEVER = new Date(8_640_000_000_000_000 / 100);

/** Finds events by what is known of them. */
export class SearchService {
  constructor(
    private readonly search: EventSearch,
    private readonly known: Pick<EventHistory, 'find'>,
    private readonly period: SearchPeriod,
  ) {}

  async events(caller: Caller, query: ListEvents): Promise<Page<EventSummary>> {
    const tenantId = tenantFor(caller, query.tenantId);
    const { from, to } = this.period.of(query);
    const { type, key, eventId, limit } = query;
    if (![key ?? '', eventId ?? ''].every(isStorable)) return { items: [], nextCursor: null };
    if (eventId !== undefined) return this.byId(tenantId, eventId, query);
    const top = to === undefined ? undefined : () => this.search.placesBefore(to);
    const places = query.cursor === undefined ? await top?.() : placesIn(query.cursor);
    const filter = { tenantId, from, to: to ?? NEVER, ...(type && { type }), ...(key !== undefined && { key }) };
    const { events, next } = await this.search.page(filter, limit, places);
    return { items: events.map(eventSummary), nextCursor: next === undefined ? null : cursorOf(next) };
  }

  /** The repeats of one id are few. */
  private async byId(tenantId: string, eventId: string, query: ListEvents): Promise<Page<EventSummary>> {
    const found = await this.known.find(tenantId, eventId);
    const from = query.from === undefined ? undefined : this.period.of(query).from.getTime();
    const to = query.to === undefined ? undefined : this.period.of(query).to?.getTime();
    const isWanted = ({ type, key, at }: RecordedEvent): boolean =>
      matchesType(query.type ?? '*', type) &&
      (query.key === undefined || query.key === key) &&
      at >= (from ?? 0) &&
      at < (to ?? Infinity);
    const all = found === undefined ? [] : [found.event, ...found.repeats];
    return { items: all.filter(isWanted).slice(0, query.limit).map(eventSummary), nextCursor: null };
  }
}

function cursorOf(places: SearchPlaces): string {
  return Buffer.from([...places].map(([partition, top]) => `${partition}:${top}`).join(',')).toString('base64url');
}

/** @throws ProblemError 400 */
function placesIn(cursor: string): SearchPlaces {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!/^\d{1,6}:\d{1,15}(,\d{1,6}:\d{1,15})*$/.test(text)) throw invalidCursor();
  return new Map(text.split(',').map((place) => place.split(':').map(Number) as [number, number]));
}
