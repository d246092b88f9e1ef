import { isId, newId } from '@hookline/domain';
import { AuditTrail, DeadLetterRecords } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import { actorOf, tenantFor, type Caller } from '../auth/caller.js';
import type { Database } from '../database/database.js';
import { findTenant } from '../tenants/tenants.service.js';
import { periodOf } from './dead-letter-filter.js';
import type { DiscardedRecordsView, DiscardRecords } from './dead-letters.schemas.js';

export interface RecordDiscardingLimits {
  /** Records that one request takes at most. */
  atOnce: number;
  /** How far back it goes where that is not said, ms. */
  keptMs: number;
}

/** Discards dead letters that are no single delivery, by filter: they stay what they are, and are not counted any more. */
export class RecordDiscarding {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly limits: RecordDiscardingLimits,
  ) {}

  async discard(caller: Caller, { note, ...body }: DiscardRecords): Promise<DiscardedRecordsView> {
    const tenantId = tenantFor(caller, body.tenantId);
    const { atOnce, keptMs } = this.limits;
    const now = this.clock.now();
    const { kind, subscriptionId } = body;
    const filter = {
      tenantId,
      ...(kind && { kind }),
      ...(subscriptionId !== undefined && { subscriptionId }),
      ...periodOf(body, new Date(now - keptMs)),
    };
    const id = newId('aud');
    const count = await this.database.transaction(async (manager) => {
      await findTenant(manager, tenantId);
      const audit = new AuditTrail(manager);
      await audit.begin({
        ...{ id, tenantId, createdAt: new Date(now), actor: actorOf(caller), action: 'dead-letters.discard-records' },
        ...{ request: body, note: note ?? null, replayId: null },
      });
      // What is no id finds nothing, and may not even be a text that PostgreSQL holds.
      if (subscriptionId !== undefined && !isId('sub', subscriptionId)) return 0;
      const discarded = await new DeadLetterRecords(manager).discard(filter, id, atOnce);
      await audit.add(id, discarded);
      return discarded;
    });
    return { count, more: count >= atOnce, auditId: id };
  }
}
