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
import { ENABLED, stepped } from './disabling.js';
import type { SubscriptionMapper } from './subscription-mapper.js';
import type { SubscriptionRules } from './subscription-rules.js';
import type {
  CreateSubscription,
  ListSubscriptions,
  NewSubscriptionView,
  PatchSubscription,
  SubscriptionView,
} from './subscriptions.schemas.js';

/** Every change is a row of `subscriptions` with a higher version, and a row of the outbox, in one transaction. */
export class SubscriptionsService {
  constructor(
    private readonly database: Database,
    private readonly rules: SubscriptionRules,
    private readonly mapper: SubscriptionMapper,
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
    };
    await this.database.transaction(async (manager) => {
      await findTenant(manager, tenantId, true);
      if ((await manager.countBy(Subscription, { tenantId, status: Not('deleted') })) >= this.maxSubscriptions)
        throw limitReached('subscriptions', this.maxSubscriptions);
      await manager.insert(Subscription, row);
      await enqueue(manager, TOPICS.subscriptions, toSubscriptionRecord(row));
    });
    return { ...this.mapper.toView(row), secret };
  }

  async get(caller: Caller, id: string): Promise<SubscriptionView> {
    return this.mapper.toView(await this.database.run((manager) => find(manager, caller, id, false)));
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
      if (after) select.andWhere('(s.createdAt, s.id) > (:at, :id)', after);
      return select
        .orderBy('s.createdAt')
        .addOrderBy('s.id')
        .limit(query.limit + 1)
        .getMany();
    });
    return toPage(rows, query.limit, (row) => this.mapper.toView(row));
  }

  async patch(
    caller: Caller,
    id: string,
    patch: PatchSubscription,
    ifMatch: string | undefined,
  ): Promise<SubscriptionView> {
    this.rules.assertValid(patch);
    const row = await this.change(caller, id, ifMatch, (old, now) => this.patched(old, patch, now));
    return this.mapper.toView(row);
  }

  /** The row stays, so that its deliveries can still be read. */
  async delete(caller: Caller, id: string, ifMatch: string | undefined): Promise<void> {
    await this.change(caller, id, ifMatch, (_, deletedAt) => ({ status: 'deleted', deletedAt }));
  }

  /** @throws ProblemError 400 where it names another ordering */
  private patched(old: Subscription, patch: PatchSubscription, now: Date): Partial<Subscription> {
    const { headers, rateLimit, ordering = old.ordering, status, ...plain } = patch;
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

  private change(
    caller: Caller,
    id: string,
    ifMatch: string | undefined,
    changes: (old: Subscription, now: Date) => Partial<Subscription>,
  ): Promise<Subscription> {
    return this.database.transaction(async (manager) => {
      const old = await find(manager, caller, id, true);
      assertMatches(ifMatch, old.version);
      const now = new Date(this.clock.now());
      const row: Subscription = { ...old, ...changes(old, now), version: old.version + 1, updatedAt: now };
      await manager.update(Subscription, { id }, row);
      await enqueue(manager, TOPICS.subscriptions, toSubscriptionRecord(row));
      return row;
    });
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
