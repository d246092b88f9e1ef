import { TOPICS, type LogPosition } from '@hookline/contracts';
import { isId } from '@hookline/domain';
import { chooseDelivery, ExpungedPayloads, Subscription, type DeliveryHistory } from '@hookline/persistence';
import { ProblemError, type Clock } from '@hookline/platform';
import { scopeOf, type Caller } from '../auth/caller.js';
import type { Database } from '../database/database.js';
import { notFound } from '../http/problems.js';
import { insertReplay, newReplay } from './new-replay.js';
import type { Recover } from './recovery.schemas.js';
import { chosenSpec, toView } from './replay-mapper.js';
import type { ReplayProgress } from './replays.schemas.js';
import type { ReplaysService } from './replays.service.js';
import type { LogBounds } from './resolve-ranges.js';

export interface RecoveryParts {
  database: Database;
  log: LogBounds;
  deliveries: Pick<DeliveryHistory, 'find'>;
  replays: Pick<ReplaysService, 'create'>;
  clock: Clock;
  maxOpen: number;
}

/** Brings one delivery once more, or what one subscription has missed. */
export class RecoveryService {
  constructor(private readonly parts: RecoveryParts) {}

  /**
   * @throws ProblemError 404; 409 while its subscription takes nothing, or for too many replays; 410 where the log has let
   * go of its event, or its payload was expunged
   */
  async resend(caller: Caller, id: string): Promise<ReplayProgress> {
    const { database, deliveries, clock, maxOpen } = this.parts;
    const delivery = await deliveries.find(scopeOf(caller), id);
    if (delivery === undefined) throw notFound('delivery');
    const { tenantId, subscriptionId, event } = delivery;
    assertEnabled(await this.subscription(tenantId, subscriptionId));
    await this.assertNotExpunged(event);
    await this.assertInLog(event);
    const { partition, offset } = event;
    const spec = chosenSpec({ subscriptionIds: [subscriptionId], outcome: 'all', about: { deliveryId: id } });
    const range = { from: offset, next: offset, to: offset + 1 };
    const row = newReplay({ tenantId, spec, partitions: { [partition]: range } }, new Date(clock.now()));
    await database.transaction(async (manager) => {
      await insertReplay(manager, row, maxOpen);
      await chooseDelivery(manager, row.id, delivery);
    });
    return { ...toView(row, clock.now()), delivered: 0, failed: 0 };
  }

  /** @throws ProblemError 404; 409 while it takes nothing; whatever a replay is refused for */
  async recover(caller: Caller, id: string, body: Recover): Promise<ReplayProgress> {
    const subscription = await this.subscription(scopeOf(caller), id);
    if (subscription === null || subscription.status === 'deleted') throw notFound('subscription');
    assertEnabled(subscription);
    const { tenantId } = subscription;
    return this.parts.replays.create(caller, { ...body, tenantId, topic: TOPICS.events, subscriptionIds: [id] });
  }

  /** @param tenantId null: of whichever tenant */
  private async subscription(tenantId: string | null, id: string): Promise<Subscription | null> {
    if (!isId('sub', id)) return null;
    const where = { id, ...(tenantId === null ? {} : { tenantId }) };
    return this.parts.database.run((manager) => manager.findOneBy(Subscription, where));
  }

  private async assertNotExpunged(position: LogPosition): Promise<void> {
    const expunged = await new ExpungedPayloads(this.parts.database).among([position]);
    if (expunged.size === 0) return;
    throw new ProblemError(410, 'expunged', 'The payload of the event of this delivery was expunged', {
      detail: 'Nothing can be sent of it any more. Publish a new event if its subscribers are to get one.',
    });
  }

  private async assertInLog({ partition, offset }: LogPosition): Promise<void> {
    const bounds = (await this.parts.log.bounds(TOPICS.events)).find((bound) => bound.partition === partition);
    if (isWithin(offset, bounds)) return;
    const begins = bounds === undefined ? 'is not there any more' : `has ${bounds.low} to ${bounds.high} (exclusive)`;
    throw new ProblemError(410, 'gone-from-log', 'The log has let go of the event of this delivery', {
      detail: `It stood at offset ${offset} of partition ${partition} of ${TOPICS.events}, which ${begins}.`,
    });
  }
}

function isWithin(offset: number, bounds: { low: number; high: number } | undefined): boolean {
  return bounds !== undefined && offset >= bounds.low && offset < bounds.high;
}

function assertEnabled(subscription: Subscription | null): void {
  const status = subscription?.status ?? 'deleted';
  if (status === 'enabled') return;
  const detail = status === 'deleted' ? 'It gets nothing any more.' : 'Enable it first.';
  throw new ProblemError(409, 'wrong-state', `The subscription is ${status}`, { detail });
}
