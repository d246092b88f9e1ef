import { noteGone, type GoneRange, type ReplayResult } from './replay-job.js';

/** A part of the log that a subscription has not got, as its row says. */
export interface HeldSpan {
  /** A bigint, hence text. */
  id: string;
  subscriptionId: string;
  tenantId: string;
  version: number;
  since: Date;
  from: Record<string, number>;
  /** Exclusive; null while it is open. */
  to: Record<string, number> | null;
  /** What has a dead letter of it. */
  lettered: GoneRange[];
}

/** Of a table `held_spans h`. */
export const SPAN_COLUMNS = `h.id, h.subscription_id AS "subscriptionId", h.tenant_id AS "tenantId", h.version, h.since,
  h.from_offsets AS "from", h.to_offsets AS "to", h.lettered`;

/** What of a span has a dead letter when these ranges have theirs; neighbours are one. */
export function withLetters({ lettered }: HeldSpan, ranges: readonly GoneRange[]): GoneRange[] {
  const all: ReplayResult = { gone: lettered.map((range) => ({ ...range })) };
  for (const range of ranges) noteGone(all, range);
  return all.gone ?? [];
}

/** Whether one of these spans has the offset. A partition that is not named was not there yet: its span begins at 0. */
export function isHeld(spans: readonly HeldSpan[], partition: number, offset: number): boolean {
  return spans.some(({ from, to }) => offset >= (from[partition] ?? 0) && offset < (to?.[partition] ?? 0));
}
