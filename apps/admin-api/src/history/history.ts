import { AttemptSearch, DeliveryHistory, EventHistory, EventSearch } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import type { Database } from '../database/database.js';
import type { Settings } from '../settings.js';
import { AttemptsService } from './attempts.service.js';
import { HistoryService } from './history.service.js';
import { SearchPeriod } from './search-period.js';
import { SearchService } from './search.service.js';

/** What reads the history, put together. */
export function historyOf(
  database: Database,
  clock: Clock,
  { searchRangeMs, searchRows }: Settings['admin'],
): { history: HistoryService; search: SearchService; attempts: AttemptsService } {
  const events = new EventHistory(database);
  const period = new SearchPeriod(clock, searchRangeMs);
  return {
    history: new HistoryService(events, new DeliveryHistory(database), period),
    search: new SearchService(new EventSearch(database, searchRows), events, period),
    attempts: new AttemptsService(new AttemptSearch(database, searchRows), events, period),
  };
}
