import type { Place } from './load/way.js';
import type { Name } from './scenario.js';

/** What is compared, of one subscription. */
export interface Evidence {
  subscription: Name;
  /** The acknowledged events that it wants, and where the log has them. */
  acknowledged: ReadonlyMap<string, Place>;
  /** Whether an id was published to it at all, acknowledged or not. */
  isPublished: (id: string) => boolean;
  /** Whether the log had let go of it before it could be read, and that was said. */
  isGone: (place: Place) => boolean;
  /** Whether it stands where the subscription takes nothing, and has not been caught up. */
  isHeld: (place: Place) => boolean;
  /** Whether a dead letter for a whole range of what was held has it. */
  isDeadRange: (place: Place) => boolean;
  /** What its endpoint has accepted, as the endpoint says. */
  delivered: ReadonlySet<string>;
  /** What is in the topic of dead letters. */
  deadLettered: ReadonlySet<string>;
  /** By event: what history says of its deliveries. */
  history: ReadonlyMap<string, readonly string[]>;
}

export interface Reconciliation {
  subscription: Name;
  delivered: number;
  deadLettered: number;
  held: number;
  /** Delivered from where it takes nothing: by a worker that had not heard of it yet. Counted as delivered. */
  overtaken: number;
  /** The log has let go of it, and that was said. */
  gone: number;
  /** Not ended, and history says that it goes on. After quiet there is to be none. */
  pending: string[];
  /** Not ended, and nobody knows of it any more. */
  lost: string[];
  /** Delivered and a dead letter. */
  both: string[];
  /** Delivered, and never published. */
  strange: string[];
  /** Ended, and history says otherwise. */
  misrecorded: string[];
}

/**
 * Each acknowledged event by its id: delivered, a dead letter, pending or held, and no two of these. Sums would hide one
 * that is lost behind one that came twice.
 */
export function reconcile(evidence: Evidence): Reconciliation {
  const { acknowledged, delivered, deadLettered, history, subscription } = evidence;
  const found: Reconciliation = {
    subscription,
    ...{ delivered: 0, deadLettered: 0, held: 0, overtaken: 0, gone: 0 },
    ...{ pending: [], lost: [], both: [], strange: [], misrecorded: [] },
  };
  for (const [id, place] of acknowledged) {
    const states = history.get(id) ?? [];
    const shown = `${subscription}: ${id} at ${place.partition}:${place.offset} (history: ${states.join() || 'none'})`;
    const isDelivered = delivered.has(id);
    const isDead = deadLettered.has(id);
    const isHeld = states.includes('held') || evidence.isHeld(place);
    if (isDelivered && isDead) found.both.push(shown);
    if (isDelivered && isHeld) found.overtaken += 1;
    if (isDelivered) found.delivered += 1;
    else if (isDead || evidence.isDeadRange(place)) found.deadLettered += 1;
    else if (isHeld) found.held += 1;
    else if (evidence.isGone(place)) found.gone += 1;
    else if (states.includes('pending') || states.includes('retrying')) found.pending.push(shown);
    else found.lost.push(shown);
    const expected = isDelivered ? 'delivered' : isDead ? 'dead-lettered' : undefined;
    if (expected !== undefined && (states.length !== 1 || states[0] !== expected)) found.misrecorded.push(shown);
  }
  found.strange = [...delivered].filter((id) => !evidence.isPublished(id)).map((id) => `${subscription}: ${id}`);
  return found;
}
