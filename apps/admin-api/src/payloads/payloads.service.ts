import type { TopicSpec } from '@hookline/kafka';
import type { ExpungedPayloads } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import { tenantFor, type Caller } from '../auth/caller.js';
import { notFound } from '../http/problems.js';
import { isStorable } from '../http/text.js';
import { logCopies } from './log-copies.js';
import type { ExpungedView, ExpungeQuery } from './payloads.schemas.js';

/** Takes payloads out of the history, and says where else they are. */
export class PayloadsService {
  constructor(
    private readonly payloads: ExpungedPayloads,
    private readonly plan: readonly TopicSpec[],
    private readonly windowMs: number,
    private readonly clock: Clock,
  ) {}

  /** @throws ProblemError 404 where history has no such event of the tenant, or not yet */
  async expunge(caller: Caller, id: string, query: ExpungeQuery): Promise<ExpungedView> {
    const tenantId = tenantFor(caller, query.tenantId);
    const events = isStorable(id) ? await this.payloads.expunge(tenantId, id) : [];
    if (events.length === 0) throw notFound('event');
    const now = this.clock.now();
    const deliveries = await this.payloads.copiesOf(tenantId, events, now - this.windowMs);
    return {
      id,
      tenantId,
      events: events.map(({ partition, offset, at, expungedAt }) => ({
        partition,
        offset,
        appendedAt: new Date(at).toISOString(),
        expungedAt: expungedAt.toISOString(),
      })),
      copies: logCopies(this.plan, events, deliveries, this.windowMs, now).map(({ topic, until }) => ({
        topic,
        until: new Date(until).toISOString(),
      })),
    };
  }
}
