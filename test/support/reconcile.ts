import type { ReceivedRequest, WebhookReceiver } from '@hookline/testing';

/** The type of the events that only find out whether a subscription is known by now; nobody counts them. */
export const HELLO = 'load.hello';

export interface Reconciliation {
  /** Ids of acknowledged events that the receiver never accepted. */
  lost: string[];
  /** Ids that the receiver accepted and nobody published. */
  strange: string[];
  /** `webhook-id`s that were accepted more than once, with how often beyond the first time. */
  repeated: Map<string, number>;
  repeats: number;
}

/** Compares, id by id, what was acknowledged with what the receiver itself says it accepted. */
export function reconcile(published: Iterable<string>, receiver: WebhookReceiver): Reconciliation {
  const expected = new Set(published);
  const accepted = new Set<string>();
  const times = new Map<string, number>();
  for (const request of receiver.accepted) {
    if (request.headers['hookline-event-type'] === HELLO) continue;
    accepted.add(eventIdOf(request));
    times.set(request.id, (times.get(request.id) ?? 0) + 1);
  }
  const repeated = new Map([...times].filter(([, count]) => count > 1).map(([id, count]) => [id, count - 1]));
  const repeats = [...repeated.values()].reduce((sum, count) => sum + count, 0);
  return {
    lost: [...expected].filter((id) => !accepted.has(id)),
    strange: [...accepted].filter((id) => !expected.has(id)),
    repeated,
    repeats,
  };
}

/** The published event's id. */
export const eventIdOf = (request: ReceivedRequest): string => request.headers['hookline-event-id'] ?? '';

/** Requests that wait for their answer: work in flight, as the receiver sees it. */
export const open = (receiver: WebhookReceiver): ReceivedRequest[] =>
  receiver.requests.filter(({ status, over }) => status === undefined && !over);
