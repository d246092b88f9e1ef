import type { EventEnvelope } from '@hookline/contracts';
import type { Signer } from './signature.js';

const USER_AGENT = 'Hookline/0.1';

/** What a subscription's own headers may not say: it would break the request, or pass for ours. */
const RESERVED =
  /^(host|connection|keep-alive|upgrade|te|trailer|expect|proxy-.*|transfer-encoding|content-.*|webhook-.*|hookline-.*)$/i;

/** Of a delivery, what its request says of it. */
export interface RequestSubject {
  readonly event: Pick<EventEnvelope, 'id' | 'type'>;
  readonly deliveryId: string;
  readonly replayId?: string | undefined;
}

/** Those of a subscription's own headers that are sent: name, value, name, value … */
export function ownHeaders(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers)
    .filter(([name]) => !RESERVED.test(name))
    .flat();
}

/** What an endpoint gets besides the body: name, value, name, value … @param headers those of {@link ownHeaders} */
export function requestHeaders(
  { signer, headers }: { readonly signer: Pick<Signer, 'sign'>; readonly headers: readonly string[] },
  { event, deliveryId, replayId }: RequestSubject,
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
