import { waitUntil, type HooklineApi, type WebhookReceiver } from '@hookline/testing';
import type { Load } from './load.js';
import { eventIdOf, HELLO, open, reconcile, type Reconciliation } from './reconcile.js';

/** Stops the load, waits until the receiver has everything, and compares id by id. */
export async function settled(load: Load, receiver: WebhookReceiver): Promise<Reconciliation> {
  await load.stop();
  const ids = load.acknowledged;
  await waitUntil(() => hasAll(receiver, ids.keys()) && open(receiver).length === 0, {
    deadlineMs: 90_000,
    what: 'every acknowledged event at the receiver',
  }).catch(() => undefined);
  return reconcile(ids.keys(), receiver);
}

/** Whether the receiver has accepted all of these events. */
export function hasAll(receiver: WebhookReceiver, ids: Iterable<string>): boolean {
  const accepted = new Set(receiver.accepted.map(eventIdOf));
  for (const id of ids) if (!accepted.has(id)) return false;
  return true;
}

/** Waits until a new subscription is known to the workers. */
export async function receives(api: HooklineApi, receiver: WebhookReceiver): Promise<void> {
  await waitUntil(
    async () => {
      await api.publish({ type: HELLO, data: null });
      return receiver.accepted.length > 0;
    },
    { deadlineMs: 75_000, what: 'the first delivery of a new subscription' },
  );
}
