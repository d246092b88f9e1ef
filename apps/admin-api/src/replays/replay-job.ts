import type { ReplayKind, ReplayRange } from '@hookline/persistence';

/** By what became of it before a delivery is chosen: any, all that were not delivered, or only the dead-lettered. */
export type OutcomeFilter = 'all' | 'undelivered' | 'failed';

/**
 * Whom it brings what it reads: those that match now, those that the event was for when it came, or the deliveries that
 * were picked one by one.
 */
export type ReplayTo = 'matching' | 'original' | 'chosen';

/** Offsets of one partition that the log let go of before they were read; `to` is exclusive. */
export interface GoneRange {
  partition: number;
  from: number;
  to: number;
}

/** An event that a dry run found. */
export interface SampledEvent {
  id: string;
  type: string;
  partition: number;
  offset: number;
  at: string;
  subscriptionIds: string[];
}

/** What is kept of a replay besides its counts. */
export interface ReplayResult {
  gone?: GoneRange[];
  sample?: SampledEvent[];
  /** Of a dry run: the deliveries that would have been handed over. */
  wouldSend?: number;
  /** Events that were left out, for history does not say whom they were for. */
  undecided?: number;
  /** Deliveries that were left out, for the payloads of their events were expunged. */
  expunged?: number;
}

/** A replay as its runner holds it. */
export interface ReplayJob {
  id: string;
  kind: ReplayKind;
  tenantId: string | null;
  subscriptionIds: string[] | undefined;
  types: string[] | undefined;
  to: ReplayTo;
  outcome: OutcomeFilter;
  /** Deliveries a second at most; undefined: no limit. */
  rate: number | undefined;
  dryRun: boolean;
  /** Of a catch-up: what was appended before this stays as it is, ms since the epoch. */
  since: number | undefined;
  /** Of a catch-up: what was given up since then for what the endpoint did comes again, ms since the epoch. */
  missedSince: number | undefined;
  subscriptionId: string | null;
  version: number | null;
  toOffsets: Record<string, number> | null;
  /** From then on every worker knows of it, ms since the epoch. */
  toldAt: number | undefined;
  notBefore: Record<string, number> | null;
  partitions: Record<string, ReplayRange>;
  scanned: number;
  matched: number;
  sent: number;
  result: ReplayResult;
}

/** Adds a range that is gone, joined to the one before it where they touch. */
export function noteGone(result: ReplayResult, { partition, from, to }: GoneRange): void {
  if (from >= to) return;
  result.gone ??= [];
  const before = result.gone.find((range) => range.partition === partition && range.to === from);
  if (before) before.to = to;
  else result.gone.push({ partition, from, to });
}
