import { decodeHeldRange, decodeOutcome, readable, TOPICS, type HeldRange } from '@hookline/contracts';
import type { PublishedEvent, ReplayRig } from './replay-rig.js';
import { readFrom } from './topics.js';

/** What was told of a delivery. */
export interface Told {
  deliveryId: string;
  state: string;
  reason: string | undefined;
}

/** As if somebody had taken the payloads of these events out of the history. */
export async function expunge({ database }: ReplayRig, events: readonly PublishedEvent[]): Promise<void> {
  for (const { partition, offset, at } of events)
    await database.query('INSERT INTO expunged_events VALUES ($1, $2, $3, now())', [partition, offset, new Date(at)]);
}

/** What was told of a subscription's deliveries in `hookline.attempts`, by id; repeats are one. */
export async function toldOf(subscription: string): Promise<Told[]> {
  const found = new Map<string, Told>();
  for (const { value } of await readFrom(TOPICS.attempts, new Map())) {
    // Others write what can't be read.
    const delivery = readable(() => decodeOutcome(value))?.delivery;
    if (delivery?.subscriptionId !== subscription) continue;
    const { id: deliveryId, state, reason } = delivery;
    found.set(`${deliveryId} ${state} ${reason}`, { deliveryId, state, reason });
  }
  return [...found.values()].sort((a, b) => (a.deliveryId < b.deliveryId ? -1 : 1));
}

/** The ranges of which a subscription has dead letters, as `partition:from-to reason`; repeats are one. */
export async function rangesBuriedOf(subscription: string): Promise<string[]> {
  const ranges = (await readFrom(TOPICS.deadLetters, new Map()))
    .filter(({ key }) => String(key) === subscription)
    .map(({ headers, value }) => {
      const { partition, from, to } = decodeHeldRange(headers) as HeldRange;
      return `${partition}:${from}-${to} ${String(headers['reason'])}${value === null ? '' : ' with data'}`;
    });
  return [...new Set(ranges)].sort();
}
