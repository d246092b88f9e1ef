import { TOPICS } from '@hookline/contracts';
import { isId, newId, newSigningSecret } from '@hookline/domain';
import { enqueue, Subscription, toSubscriptionRecord } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import { Not, type EntityManager } from 'typeorm';
import { scopeOf, tenantFor, type Caller } from '../auth/caller.js';
import type { Database } from '../database/database.js';
import { assertMatches } from '../http/etag.js';
import { positionOf, toPage, type Page } from '../http/page.js';
import { invalid, limitReached, notFound } from '../http/problems.js';
import { findTenant } from '../tenants/tenants.service.js';
import { ENABLED, enabledAt, stepped } from './disabling.js';
import { IS_FAILING, type HealthViews } from './health-views.js';
import type { HeldViews } from './held-views.js';
import { askedCatchUp, catchUpOf, type AskedCatchUp } from './catch-up-request.js';
import type { SubscriptionMapper } from './subscription-mapper.js';
import type { SubscriptionRules } from './subscription-rules.js';
import type {
  CatchUpView,
  ChangedSubscriptionView,
  CreateSubscription,
  ListSubscriptions,
  NewSubscriptionView,
  PatchSubscription,
  SubscriptionView,
} from './subscriptions.schemas.js';

/** Undefined: it is as it should be. */
type Changes = Partial<Subscription> | undefined;

/** Every change is a row of `subscriptions` with a higher version, and a row of the outbox, in one transaction. */
export class SubscriptionsService {
  constructor(
    private readonly database: Database,
    private readonly rules: SubscriptionRules,
    private readonly mapper: SubscriptionMapper,
    private readonly held: HeldViews,
    private readonly health: HealthViews,
    private readonly clock: Clock,
    private readonly maxSubscriptions: number,
  ) {}

  async create(caller: Caller, body: CreateSubscription): Promise<NewSubscriptionView> {
    const tenantId = tenantFor(caller, body.tenantId);
    this.rules.assertValid(body);
    const now = new Date(this.clock.now());
    const id = newId('sub');
    const secret = body.secret ?? newSigningSecret();
    const row: Subscription = {
      id,
      tenantId,
      url: body.url,
      types: body.types,
      ...stepped(ENABLED, body.status, now),
      description: body.description,
      sealed: this.mapper.seal({ id, tenantId }, { secrets: [secret], headers: body.headers }),
      version: 1,
      createdAt: now,
      updatedAt: now,
      deletedAt: null,
      ordering: body.ordering,
      rateLimit: this.rules.rateLimitOf(body.rateLimit),
      maxInFlight: body.maxInFlight,
      epoch: 0,
      catchingUp: null,
      enabledAt: null,
      missedSince: null,
    };
    await this.database.transaction(async (manager) => {
      await findTenant(manager, tenantId, true);
      if ((await manager.countBy(Subscription, { tenantId, status: Not('deleted') })) >= this.maxSubscriptions)
        throw limitReached('subscriptions', this.maxSubscriptions);
      await manager.insert(Subscription, row);
      await enqueue(manager, TOPICS.subscriptions, toSubscriptionRecord(row));
    });
    return { ...(await this.view(row)), secret };
  }

  async get(caller: Caller, id: string): Promise<SubscriptionView> {
    return this.view(await this.database.run((manager) => find(manager, caller, id, false)));
  }

  async list(caller: Caller, query: ListSubscriptions): Promise<Page<SubscriptionView>> {
    const tenantId = tenantFor(caller, query.tenantId);
    const after = positionOf(query.cursor);
    const rows = await this.database.run(async (manager) => {
      await findTenant(manager, tenantId);
      const select = manager
        .createQueryBuilder(Subscription, 's')
        .where('s.tenantId = :tenantId', { tenantId })
        .andWhere(query.status ? 's.status = :status' : `s.status <> 'deleted'`, { status: query.status });
      if (query.failing) select.andWhere(IS_FAILING);
      if (after) select.andWhere('(s.createdAt, s.id) > (:at, :id)', after);
      return select
        .orderBy('s.createdAt')
        .addOrderBy('s.id')
        .limit(query.limit + 1)
        .getMany();
    });
    const [held, health] = await Promise.all([this.held.of(rows), this.health.of(rows)]);
    return toPage(rows, query.limit, (row) => this.mapper.toView(row, health(row), held.get(row.id) ?? null));
  }

  /** @throws ProblemError 400 (also for a catch-up of what stays paused), 404, 409 where one is under way, 412 */
  async patch(
    caller: Caller,
    id: string,
    patch: PatchSubscription,
    ifMatch: string | undefined,
  ): Promise<ChangedSubscriptionView> {
    this.rules.assertValid(patch);
    const asked = askedCatchUp(patch.catchUp, this.clock.now());
    const row = await this.change(caller, id, ifMatch, (old, now) => this.patched(old, patch, now), asked);
    const enables = patch.status === 'enabled' || asked !== undefined;
    return this.changed(row, enables ? await this.held.preview(row, asked) : null);
  }

  async pause(caller: Caller, id: string, ifMatch: string | undefined): Promise<ChangedSubscriptionView> {
    const row = await this.change(caller, id, ifMatch, (old, now) =>
      old.status === 'paused' ? undefined : stepped(old, 'paused', now),
    );
    return this.changed(row, null);
  }

  /** Enables it with a catch-up over all that is held. */
  async resume(caller: Caller, id: string, ifMatch: string | undefined): Promise<ChangedSubscriptionView> {
    const asked: AskedCatchUp = { replayId: newId('rpl') };
    let resumed = false;
    const step = (old: Subscription): Changes => {
      resumed = old.status !== 'enabled';
      return resumed ? ENABLED : undefined;
    };
    const row = await this.change(caller, id, ifMatch, step, asked);
    return this.changed(row, resumed ? await this.held.preview(row, asked) : null);
  }

  /** The row stays, so that its deliveries can still be read. */
  async delete(caller: Caller, id: string, ifMatch: string | undefined): Promise<void> {
    await this.change(caller, id, ifMatch, (_, deletedAt) => ({ status: 'deleted', deletedAt }));
  }

  /** @throws ProblemError 400 where it names another ordering */
  private patched(old: Subscription, patch: PatchSubscription, now: Date): Partial<Subscription> {
    const { headers, rateLimit, ordering = old.ordering, status, catchUp: _, ...plain } = patch;
    if (ordering !== old.ordering)
      throw invalid({ field: 'ordering', message: `is fixed when a subscription is made; it is ${old.ordering}` });
    return {
      ...plain,
      ...(status === undefined ? {} : stepped(old, status, now)),
      ...(rateLimit === undefined ? {} : { rateLimit: this.rules.rateLimitOf(rateLimit) }),
      ...(headers === undefined
        ? {}
        : { sealed: this.mapper.seal(old, { secrets: this.mapper.unseal(old).secrets, headers }) }),
    };
  }

  /** @param changes what becomes of the row; undefined: nothing, and then nothing is caught up either */
  private change(
    caller: Caller,
    id: string,
    ifMatch: string | undefined,
    changes: (old: Subscription, now: Date) => Changes,
    asked?: AskedCatchUp,
  ): Promise<Subscription> {
    return this.database.transaction(async (manager) => {
      const old = await find(manager, caller, id, true);
      assertMatches(ifMatch, old.version);
      const now = new Date(this.clock.now());
      const changed = changes(old, now);
      if (changed === undefined) return old;
      const row: Subscription = { ...old, ...changed, version: old.version + 1, updatedAt: now };
      if (row.status === 'enabled' && old.status !== 'enabled') row.enabledAt = enabledAt(old, now);
      await catchUpOf(manager, old, row, asked);
      await manager.update(Subscription, { id }, row);
      await enqueue(manager, TOPICS.subscriptions, toSubscriptionRecord(row));
      return row;
    });
  }

  private async view(row: Subscription): Promise<SubscriptionView> {
    const [held, health] = await Promise.all([this.held.of([row]), this.health.one(row)]);
    return this.mapper.toView(row, health, held.get(row.id) ?? null);
  }

  private async changed(row: Subscription, catchUp: CatchUpView | null): Promise<ChangedSubscriptionView> {
    return { ...(await this.view(row)), catchUp };
  }
}

/** @throws ProblemError 404, also for what is deleted or another's */
async function find(manager: EntityManager, caller: Caller, id: string, lock: boolean): Promise<Subscription> {
  if (!isId('sub', id)) throw notFound('subscription');
  const tenantId = scopeOf(caller);
  const row = await manager.findOne(Subscription, {
    where: { id, status: Not('deleted'), ...(tenantId === null ? {} : { tenantId }) },
    ...(lock ? { lock: { mode: 'pessimistic_write' as const } } : {}),
  });
  if (row === null) throw notFound('subscription');
  return row;
}
