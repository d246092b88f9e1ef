import { topicPlan } from '@hookline/kafka';
import { ExpungedPayloads } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import type { Database } from '../database/database.js';
import type { Settings } from '../settings.js';
import { PayloadsService } from './payloads.service.js';

/** What takes payloads out, put together. */
export function payloadsOf(
  database: Database,
  clock: Clock,
  { topics, delivery }: Pick<Settings, 'topics' | 'delivery'>,
): PayloadsService {
  const plan = topicPlan(topics, delivery.retryDelaysMs);
  return new PayloadsService({ database, payloads: new ExpungedPayloads(database), plan, clock }, delivery.windowMs);
}
