import {
  Subscription,
  type DeliveryHistory,
  type EventHistory,
  type ExchangedAttempt,
  type RecordedDelivery,
} from '@hookline/persistence';
import { scopeOf, type Caller } from '../auth/caller.js';
import type { Database } from '../database/database.js';
import { notFound } from '../http/problems.js';
import { isStorable } from '../http/text.js';
import type { SubscriptionMapper } from '../subscriptions/subscription-mapper.js';
import { headersOf, requestOf, type AsItWas } from './exchange-request.js';
import type { ExchangeView } from './exchange.schemas.js';
import { attemptView } from './history-views.js';

/** Shows the request and the answer of an attempt, from what is recorded and what follows from that. */
export class ExchangeService {
  constructor(
    private readonly deliveries: DeliveryHistory,
    private readonly events: Pick<EventHistory, 'payload'>,
    private readonly database: Database,
    private readonly mapper: Pick<SubscriptionMapper, 'unseal'>,
  ) {}

  /** @throws ProblemError 404; 503 where the subscription's secrets can't be opened */
  async exchange(caller: Caller, deliveryId: string, attemptId: string): Promise<ExchangeView> {
    const delivery = await this.deliveries.find(scopeOf(caller), deliveryId);
    if (delivery === undefined) throw notFound('delivery');
    const attempt = isStorable(attemptId) ? await this.deliveries.attempt(deliveryId, attemptId) : undefined;
    if (attempt === undefined) throw notFound('attempt');
    const [subscription, payload] = await Promise.all([
      this.asItWas(delivery, attempt),
      this.events.payload(delivery.event),
    ]);
    const { status, responseBody, responseHeaders } = attempt;
    return {
      ...attemptView({ delivery, attempt }),
      request: requestOf(delivery, attempt, subscription, payload),
      response:
        status === null ? null : { status, headers: responseHeaders && headersOf(responseHeaders), body: responseBody },
    };
  }

  /** Only the present version of a subscription is kept. */
  private async asItWas(delivery: RecordedDelivery, { version }: ExchangedAttempt): Promise<AsItWas> {
    if (version === null) return { unknown: 'the version of the subscription was not recorded' };
    const { tenantId, subscriptionId: id } = delivery;
    const row = await this.database.run((manager) => manager.findOneBy(Subscription, { id, tenantId }));
    if (row === null || row.status === 'deleted') return { unknown: 'the subscription was deleted since' };
    if (row.version !== version) return { unknown: 'the subscription was changed since' };
    return { url: row.url, secrets: this.mapper.unseal(row) };
  }
}
