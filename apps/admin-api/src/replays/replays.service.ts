import { isId } from '@hookline/domain';
import {
  Replay,
  REPLAY_CHANNEL,
  Subscription,
  type DeliveryHistory,
  type DeliveryStates,
  type EventHistory,
  type ReplayStatus,
} from '@hookline/persistence';
import { ProblemError, type Clock } from '@hookline/platform';
import { In } from 'typeorm';
import { scopeOf, tenantFor, type Caller } from '../auth/caller.js';
import type { Database } from '../database/database.js';
import { positionOf, toPage, type Page } from '../http/page.js';
import { invalid, notFound } from '../http/problems.js';
import { findTenant } from '../tenants/tenants.service.js';
import { specOf, toView } from './replay-mapper.js';
import { placeOf } from './boundaries.js';
import { insertReplay, newReplay } from './new-replay.js';
import type { CreateReplay, ListReplays, ReplayProgress, ReplayView } from './replays.schemas.js';
import { resolveRanges, type LogBounds } from './resolve-ranges.js';

/** What is looked up in history. */
export interface ReplayHistory {
  events: Pick<EventHistory, 'find'>;
  deliveries: Pick<DeliveryHistory, 'replayStates'>;
  states: Pick<DeliveryStates, 'lastSuccess'>;
}

/** It begins when it is known which deliveries it brings, and not before. */
const UNBEGUN = `(spec->>'subscriptions' = 'chosen' AND partitions = '{}')`;
const BEING_CHOSEN = `(${UNBEGUN} AND resume_at > now())`;

export class ReplaysService {
  constructor(
    private readonly database: Database,
    private readonly log: LogBounds,
    private readonly history: ReplayHistory,
    private readonly clock: Clock,
    private readonly maxOpen: number,
  ) {}

  async create(caller: Caller, body: CreateReplay): Promise<ReplayProgress> {
    const tenantId = tenantFor(caller, body.tenantId);
    await this.database.run((manager) => findTenant(manager, tenantId));
    if (body.subscriptionIds) await this.assertReplayable(tenantId, body.subscriptionIds);
    const [from, to] = await Promise.all([
      placeOf(this.history, tenantId, 'from', body.from),
      body.to && placeOf(this.history, tenantId, 'to', body.to),
    ]);
    const now = new Date(this.clock.now());
    const partitions = await resolveRanges(this.log, body.topic, from, to);
    const row = newReplay({ tenantId, spec: specOf(body), partitions }, now);
    await this.database.transaction((manager) => insertReplay(manager, row, this.maxOpen));
    return { ...toView(row, now.getTime()), delivered: 0, failed: 0 };
  }

  async get(caller: Caller, id: string): Promise<ReplayProgress> {
    const row = await this.find(caller, id);
    const states = await this.history.deliveries.replayStates(id);
    return {
      ...toView(row, this.clock.now()),
      delivered: states.delivered,
      failed: states['dead-lettered'],
    };
  }

  async list(caller: Caller, query: ListReplays): Promise<Page<ReplayView>> {
    const tenantId = tenantFor(caller, query.tenantId);
    const after = positionOf(query.cursor);
    const rows = await this.database.run(async (manager) => {
      await findTenant(manager, tenantId);
      const select = manager.createQueryBuilder(Replay, 'r').where('r.tenantId = :tenantId', { tenantId });
      if (after) select.andWhere('(r.createdAt, r.id) > (:at, :id)', after);
      return select
        .orderBy('r.createdAt')
        .addOrderBy('r.id')
        .limit(query.limit + 1)
        .getMany();
    });
    return toPage(rows, query.limit, (row) => toView(row, this.clock.now()));
  }

  /** What was handed over already is delivered; the rest waits until it is resumed. @throws ProblemError 409 */
  pause(caller: Caller, id: string): Promise<ReplayProgress> {
    return this.step(caller, id, ['pending', 'running'], 'paused');
  }

  /** @throws ProblemError 409 */
  resume(caller: Caller, id: string): Promise<ReplayProgress> {
    return this.step(caller, id, ['paused'], 'pending');
  }

  private async step(
    caller: Caller,
    id: string,
    from: readonly ReplayStatus[],
    to: ReplayStatus,
  ): Promise<ReplayProgress> {
    const { status } = await this.find(caller, id);
    // An UPDATE with RETURNING answers the rows and their count here.
    const [rows] = await this.database.query<[unknown[], number]>(
      `UPDATE replays SET status = $2, resume_at = NULL, updated_at = $4
        WHERE id = $1 AND status = ANY($3) AND NOT ${BEING_CHOSEN} RETURNING id`,
      [id, to, from, new Date(this.clock.now())],
    );
    if (rows.length === 0 && status !== to)
      throw new ProblemError(409, 'wrong-state', `A replay that is ${status} can not become ${to}`, {
        ...(from.includes(status)
          ? { detail: 'Its deliveries are being chosen yet. Wait for that, or cancel it.' }
          : {}),
      });
    await this.database.query(`SELECT pg_notify('${REPLAY_CHANNEL}', '')`);
    return this.get(caller, id);
  }

  /**
   * What was handed over already is delivered; the rest is not. One that is finished stays as it is. Where its deliveries
   * were being chosen yet, it has taken none of them, whoever chose them.
   */
  async cancel(caller: Caller, id: string): Promise<void> {
    await this.find(caller, id);
    await this.database.query(
      `WITH ended AS (
         UPDATE replays SET status = 'cancelled', updated_at = $2, finished_at = $2
          WHERE id = $1 AND finished_at IS NULL RETURNING id, ${UNBEGUN} AS unbegun)
       UPDATE audit_entries a SET affected = 0 FROM ended WHERE a.replay_id = ended.id AND ended.unbegun`,
      [id, new Date(this.clock.now())],
    );
  }

  private async find(caller: Caller, id: string): Promise<Replay> {
    if (!isId('rpl', id)) throw notFound('replay');
    const tenantId = scopeOf(caller);
    const where = { id, ...(tenantId === null ? {} : { tenantId }) };
    const row = await this.database.run((manager) => manager.findOneBy(Replay, where));
    if (row === null) throw notFound('replay');
    return row;
  }

  private async assertReplayable(tenantId: string, ids: readonly string[]): Promise<void> {
    const known = ids.filter((id) => isId('sub', id));
    const rows = await this.database.run((manager) => manager.findBy(Subscription, { id: In(known), tenantId }));
    const statuses = new Map(rows.map(({ id, status }) => [id, status]));
    const faults = ids.flatMap((id, index) => {
      const status = statuses.get(id) ?? 'deleted';
      if (status === 'enabled') return [];
      const message = status === 'deleted' ? 'there is no such subscription' : `is ${status}: enable it first`;
      return [{ field: `subscriptionIds[${index}]`, message }];
    });
    if (faults.length > 0) throw invalid(...faults.slice(0, 20));
  }
}
