import { Sealer } from '@hookline/domain';
import { AttemptSearch, DeliveryHistory, EventHistory, EventSearch } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import type { Database } from '../database/database.js';
import type { Settings } from '../settings.js';
import { SubscriptionMapper } from '../subscriptions/subscription-mapper.js';
import { AttemptsService } from './attempts.service.js';
import { ExchangeService } from './exchange.service.js';
import { HistoryService } from './history.service.js';
import { SearchPeriod } from './search-period.js';
import { SearchService } from './search.service.js';

interface Histories {
  history: HistoryService;
  search: SearchService;
  attempts: AttemptsService;
  exchanges: ExchangeService;
}

/** What reads the history, put together. */
export function historyOf(
  database: Database,
  clock: Clock,
  { admin: { searchRangeMs, searchRows }, sealing }: Pick<Settings, 'admin' | 'sealing'>,
): Histories {
  const events = new EventHistory(database);
  const deliveries = new DeliveryHistory(database);
  const period = new SearchPeriod(clock, searchRangeMs);
  const mapper = new SubscriptionMapper(new Sealer(sealing.keys));
  return {
    history: new HistoryService(events, deliveries, period),
    search: new SearchService(new EventSearch(database, searchRows), events, period),
    attempts: new AttemptsService(new AttemptSearch(database, searchRows, clock), events, period),
    exchanges: new ExchangeService(deliveries, events, database, mapper),
  };
}
