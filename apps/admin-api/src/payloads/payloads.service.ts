import type { TopicSpec } from '@hookline/kafka';
import { expunge, type ExpungedPayloads } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import { tenantFor, type Caller } from '../auth/caller.js';
import type { Database } from '../database/database.js';
import { notFound } from '../http/problems.js';
import { isStorable } from '../http/text.js';
import { logCopies } from './log-copies.js';
import type { ExpungedView, ExpungeQuery } from './payloads.schemas.js';

export interface PayloadsParts {
  database: Database;
  payloads: Pick<ExpungedPayloads, 'copiesOf'>;
  /** The topics as they are kept. */
  plan: readonly TopicSpec[];
  clock: Clock;
}

/** Takes payloads out of the history, and says where else they are. */
export class PayloadsService {
  /** @param windowMs for how long an open delivery is tried, ms */
  constructor(
    private readonly parts: PayloadsParts,
    private readonly windowMs: number,
  ) {}

  /** @throws ProblemError 404 where history has no such event of the tenant, or not yet */
  async expunge(caller: Caller, id: string, query: ExpungeQuery): Promise<ExpungedView> {
    const tenantId = tenantFor(caller, query.tenantId);
    const { database, payloads, plan, clock } = this.parts;
    const events = isStorable(id) ? await database.transaction((manager) => expunge(manager, tenantId, id)) : [];
    if (events.length === 0) throw notFound('event');
    const now = clock.now();
    const deliveries = await payloads.copiesOf(tenantId, events, now - this.windowMs);
    return {
      id,
      tenantId,
      events: events.map(({ partition, offset, at, expungedAt }) => ({
        partition,
        offset,
        appendedAt: new Date(at).toISOString(),
        expungedAt: expungedAt.toISOString(),
      })),
      copies: logCopies(plan, events, deliveries, this.windowMs, now).map(({ topic, until }) => ({
        topic,
        until: new Date(until).toISOString(),
      })),
    };
  }
}
