import { versionAt } from '@hookline/domain';
import type { Subscribed } from './matching.js';

/** How long the keeper of late learners may take once a slice is due, ms. */
export const SLICE_PATIENCE_MS = 300_000;

export interface LateTimes {
  /** After a version was appended every worker knows of it, ms. */
  knownAfterMs: number;
  /** ms since the epoch. */
  now: number;
  /** History is behind by more than {@link SLICE_PATIENCE_MS}: the keeper waits for it. */
  isHistoryBehind: boolean;
}

/**
 * Whether what a worker has left out, because it had not heard of a version, may still be brought by the keeper that makes
 * up for it (libs of admin-api: the slice keeper).
 */
export class LateLearners {
  private readonly starts = new Map<string, number>();

  /** @param firstAtFrom the append time of the first event where a version holds: it was stamped before, and appended soon after */
  constructor(
    private readonly times: LateTimes,
    private readonly firstAtFrom: (holdsFrom: Readonly<Record<string, number>>) => number | undefined,
  ) {}

  /** @param at when the event was appended, ms since the epoch */
  isDue(subscribed: Subscribed, partition: number, offset: number, at: number): boolean {
    const { knownAfterMs, now, isHistoryBehind } = this.times;
    const known = this.startOf(subscribed, partition, offset) + knownAfterMs;
    return at <= known && (isHistoryBehind || now <= known + SLICE_PATIENCE_MS);
  }

  private startOf(subscribed: Subscribed, partition: number, offset: number): number {
    const { versions, at, number } = subscribed;
    const version = versionAt(versions, partition, offset);
    if (version === undefined) return -Infinity;
    if (version === versions[0]) return at;
    const key = `${number}:${version.version}`;
    let start = this.starts.get(key);
    if (start === undefined) this.starts.set(key, (start = this.firstAtFrom(version.holdsFrom) ?? -Infinity));
    return start;
  }
}

/** Whether a catch-up reads an event, as far as the subscription's record knows; that of an ordered one says when it is through. */
export function isCaughtUp({ record }: Subscribed, partition: number, offset: number): boolean {
  const { epoch = 0, epochFrom, ordering, catchingUp, status } = record;
  if (epoch === 0 || status === 'deleted' || (ordering === 'key' && catchingUp === undefined)) return false;
  return epochFrom === undefined || offset < (epochFrom[partition] ?? 0);
}
