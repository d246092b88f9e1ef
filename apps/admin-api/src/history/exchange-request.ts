import { MASK, ownHeaders, requestHeaders, Signer, withoutCredentials } from '@hookline/domain';
import type { SubscriptionSecrets } from '@hookline/contracts';
import type { ExchangedAttempt, RecordedDelivery } from '@hookline/persistence';
import type { ExchangeView } from './exchange.schemas.js';

type Header = ExchangeView['request']['headers'][number];

/** Own headers whose values are shown; of all others nobody can say that they are no secrets. */
const HARMLESS = new Set(['accept', 'accept-encoding', 'accept-language', 'cache-control']);

/** A subscription as it was when the attempt was made, or why that is not known. */
export type AsItWas = { readonly url: string; readonly secrets: SubscriptionSecrets } | { readonly unknown: string };

/** Puts together what an attempt sent, as the worker did. */
export function requestOf(
  delivery: RecordedDelivery,
  attempt: ExchangedAttempt,
  subscription: AsItWas,
  payload: Buffer | undefined,
): ExchangeView['request'] {
  const known = 'unknown' in subscription ? undefined : subscription;
  const signer = known && payload ? new Signer(known.secrets.secrets) : { sign: () => MASK };
  const subject = { event: delivery.event, deliveryId: delivery.id, replayId: attempt.replayId ?? undefined };
  const seconds = Math.floor(attempt.startedAt.getTime() / 1_000);
  const own = known && headersOf(ownHeaders(known.secrets.headers));
  return {
    reconstructed: true,
    method: 'POST',
    url: known ? withoutCredentials(known.url) : null,
    headers: headersOf(
      requestHeaders({ signer, headers: [] }, subject, attempt.number, seconds, payload ?? Buffer.alloc(0)),
    ),
    ownHeaders:
      own?.map(({ name, value }) => ({ name, value: HARMLESS.has(name.toLowerCase()) ? value : MASK })) ?? null,
    unknown: 'unknown' in subscription ? subscription.unknown : null,
    body: payload?.toString('utf8') ?? null,
  };
}

/** @param parts name, value, name, value … */
export function headersOf(parts: readonly string[]): Header[] {
  const headers: Header[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2)
    headers.push({ name: parts[at] as string, value: parts[at + 1] as string });
  return headers;
}
