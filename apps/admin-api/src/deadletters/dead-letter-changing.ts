import { TOPICS } from '@hookline/contracts';
import { newId } from '@hookline/domain';
import {
  AuditTrail,
  chosenRanges,
  DeadLetterChanges,
  DeadLetterHistory,
  REPLAY_CHANNEL,
  type DeadLetterFilter,
  type DeadLetterTally,
  type Replay,
} from '@hookline/persistence';
import { ProblemError, type Clock } from '@hookline/platform';
import type { EntityManager } from 'typeorm';
import { actorOf, tenantFor, type Caller } from '../auth/caller.js';
import type { Database } from '../database/database.js';
import { insertReplay, newReplay } from '../replays/new-replay.js';
import { chosenSpec, toView } from '../replays/replay-mapper.js';
import type { LogBounds } from '../replays/resolve-ranges.js';
import { findTenant } from '../tenants/tenants.service.js';
import { wantedOf } from './dead-letter-filter.js';
import type { ChangedView, Discard, Redrive, RedrivenView } from './dead-letters.schemas.js';

/** Dead letters that one transaction takes at most. */
const BATCH = 5_000;
/** How long a replay waits at most while its deliveries are chosen; if that was cut off, it sends then what was. */
const CHOOSING_MS = 600_000;

export interface DeadLetterLimits {
  /** Dead letters that one request takes at most. */
  atOnce: number;
  maxOpenReplays: number;
  /** How far back it goes where that is not said, ms. */
  keptMs: number;
}

/** @throws ProblemError 409 where somebody has cancelled the replay, or choosing took longer than it waits */
async function assertWaits(changes: DeadLetterChanges, { id }: Replay): Promise<void> {
  const status = await changes.statusOf(id);
  if (status === 'pending') return;
  const detail =
    status === 'cancelled'
      ? `Replay ${id} sends none of them. Ask again.`
      : `Replay ${id} sends those that had been chosen by then. Ask again for the others.`;
  throw new ProblemError(409, 'wrong-state', 'The replay has begun or ended while its deliveries were chosen', {
    detail,
  });
}

/** Redrives and discards dead letters by filter, in batches; what one request has taken, no other takes again. */
export class DeadLetterChanging {
  constructor(
    private readonly database: Database,
    private readonly log: Pick<LogBounds, 'bounds'>,
    private readonly clock: Clock,
    private readonly limits: DeadLetterLimits,
  ) {}

  /** @throws ProblemError 409 for too many replays, and where its replay is cancelled while its deliveries are chosen */
  async redrive(caller: Caller, body: Redrive): Promise<RedrivenView> {
    const { filter, request } = await this.asked(caller, body);
    const lows = Object.fromEntries(
      (await this.log.bounds(TOPICS.events)).map(({ partition, low }) => [String(partition), low]),
    );
    const tally = await new DeadLetterHistory(this.database).tally(filter, lows);
    if (body.dryRun || tally.count === 0) return { ...untouched(tally), replay: null };
    const now = new Date(this.clock.now());
    const spec = chosenSpec({ outcome: 'failed', about: { deadLetters: request }, rate: body.rate });
    const { tenantId } = filter;
    const row = {
      ...newReplay({ tenantId, spec, partitions: {} }, now),
      resumeAt: new Date(now.getTime() + CHOOSING_MS),
    };
    const auditId = await this.begin(caller, filter, 'redrive', { request, note: body.note, replay: row });
    const taken = await this.batches(filter, auditId, tally.count, async (changes, limit) => {
      await assertWaits(changes, row);
      return changes.choose(filter, row.id, lows, limit);
    });
    await this.letGo(row);
    const replay = { ...toView(row, now.getTime()), delivered: 0, failed: 0 };
    return { ...taken, leftOut: leftOutOf(tally), auditId, replay };
  }

  async discard(caller: Caller, body: Discard): Promise<ChangedView> {
    const { filter, request } = await this.asked(caller, body);
    const tally = await new DeadLetterHistory(this.database).tally(filter);
    if (body.dryRun || tally.count === 0) return untouched(tally);
    const auditId = await this.begin(caller, filter, 'discard', { request, note: body.note });
    const taken = await this.batches(filter, auditId, tally.count, (changes, limit) =>
      changes.discard(filter, auditId, limit),
    );
    return { ...taken, leftOut: leftOutOf(tally), auditId };
  }

  private async asked(
    caller: Caller,
    body: Discard,
  ): Promise<{ filter: DeadLetterFilter; request: Record<string, unknown> }> {
    const tenantId = tenantFor(caller, body.tenantId);
    const filter = wantedOf(tenantId, body, new Date(this.clock.now() - this.limits.keptMs));
    await this.database.run((manager) => findTenant(manager, tenantId));
    const { reasons, subscriptionIds, types, from, to, deliveryIds } = body;
    // What is undefined is left out of the JSON.
    return { filter, request: { reasons, subscriptionIds, types, from, to, deliveryIds } };
  }

  private async begin(
    caller: Caller,
    { tenantId }: DeadLetterFilter,
    action: 'redrive' | 'discard',
    {
      request,
      note,
      replay,
    }: { request: Record<string, unknown>; note?: string | undefined; replay?: Replay & { tenantId: string } },
  ): Promise<string> {
    const id = newId('aud');
    await this.database.transaction(async (manager) => {
      if (replay) await insertReplay(manager, replay, this.limits.maxOpenReplays);
      await new AuditTrail(manager).begin({
        id,
        tenantId,
        createdAt: new Date(this.clock.now()),
        actor: actorOf(caller),
        action: `dead-letters.${action}`,
        request,
        note: note ?? null,
        replayId: replay?.id ?? null,
      });
    });
    return id;
  }

  /** Each batch is counted in the audit entry with what it changes, so that the entry is true wherever it is cut off. */
  private async batches(
    { tenantId }: DeadLetterFilter,
    auditId: string,
    expected: number,
    change: (changes: DeadLetterChanges, limit: number) => Promise<number>,
  ): Promise<{ count: number; more: boolean }> {
    const { atOnce } = this.limits;
    for (let count = 0; ;) {
      const limit = Math.min(BATCH, atOnce - count);
      const taken = await this.database.transaction(async (manager: EntityManager) => {
        const changes = new DeadLetterChanges(manager);
        await changes.lock(tenantId);
        const changed = await change(changes, limit);
        await new AuditTrail(manager).add(auditId, changed);
        return changed;
      });
      count += taken;
      if (taken < limit) return { count, more: false };
      if (count >= atOnce) return { count, more: count < expected };
    }
  }

  /** The replay may begin: what it reads is known. @throws ProblemError 409 where it has done so by itself, or has ended */
  private async letGo(row: Replay): Promise<void> {
    await this.database.transaction(async (manager) => {
      const changes = new DeadLetterChanges(manager);
      await assertWaits(changes, row);
      row.partitions = await chosenRanges(manager, row.id);
      row.resumeAt = null;
      await manager.query(`UPDATE replays SET partitions = $2, resume_at = NULL WHERE id = $1`, [
        row.id,
        JSON.stringify(row.partitions),
      ]);
      await manager.query(`SELECT pg_notify('${REPLAY_CHANNEL}', '')`);
    });
  }
}

function untouched(tally: DeadLetterTally): ChangedView {
  return { count: tally.count, more: false, leftOut: leftOutOf(tally), auditId: null };
}

function leftOutOf({ count: _, ...leftOut }: DeadLetterTally): ChangedView['leftOut'] {
  return leftOut;
}
