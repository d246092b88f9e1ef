import type { DeliveryEnvelope } from '@hookline/contracts';
import type { Opened } from '../subscriptions/target.js';

const USER_AGENT = 'Hookline/0.1';

/** What an endpoint gets besides the body: name, value, name, value … */
export function requestHeaders(
  { signer, headers }: Opened,
  { event, deliveryId, replayId }: DeliveryEnvelope,
  attempt: number,
  timestampSeconds: number,
  body: Buffer,
): string[] {
  const all = [
    'content-type',
    'application/json',
    'user-agent',
    USER_AGENT,
    'webhook-id',
    deliveryId,
    'webhook-timestamp',
    String(timestampSeconds),
    'webhook-signature',
    signer.sign(deliveryId, timestampSeconds, body),
    'hookline-attempt',
    String(attempt),
    'hookline-event-id',
    printable(event.id),
    'hookline-event-type',
    printable(event.type),
  ];
  if (replayId !== undefined) all.push('hookline-replay-id', replayId);
  for (const part of headers) all.push(part);
  return all;
}

/** A header holds printable ASCII; an id that has anything else is percent-encoded. */
function printable(text: string): string {
  // Ids came as UTF-8, which has no lone surrogates.
  return /^[\x21-\x7e]*$/.test(text) ? text : encodeURIComponent(text);
}
