import { hash } from 'node:crypto';

/**
 * The id of a delivery, which is also the `webhook-id` that its endpoint sees: the same over retries, resends and
 * replays, for it is derived from where the event stands in the log and from the subscription.
 */
export function deliveryIdOf(
  event: { readonly tenant: string; readonly id: string },
  source: { readonly partition: number; readonly offset: number },
  subscriptionId: string,
): string {
  const name = `${event.tenant}\0${event.id}\0${source.partition}\0${source.offset}\0${subscriptionId}`;
  return `msg_${hash('sha256', name, 'hex').slice(0, 32)}`;
}

/** Whether the text has the form of a delivery's id. */
export function isDeliveryId(text: string): boolean {
  return /^msg_[0-9a-f]{32}$/.test(text);
}
