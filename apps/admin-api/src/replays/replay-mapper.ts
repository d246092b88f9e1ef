import { TOPICS } from '@hookline/contracts';
import type { Replay } from '@hookline/persistence';
import type { OutcomeFilter, ReplayResult, ReplayTo } from './replay-job.js';
import type { CreateReplay, ReplayView } from './replays.schemas.js';

/** What was asked for, as it is kept. */
export function specOf(body: CreateReplay): Record<string, unknown> {
  const { topic, from, to, subscriptionIds, subscriptions, types, outcome, rate, dryRun } = body;
  return {
    topic,
    from,
    to: to ?? null,
    subscriptionIds: subscriptionIds ?? null,
    subscriptions,
    types: types ?? null,
    outcome,
    rate: rate ?? null,
    dryRun,
  };
}

/**
 * Of a replay that brings single deliveries, which are chosen one by one.
 * @param about what they were chosen by
 */
export function chosenSpec({
  subscriptionIds,
  outcome,
  about,
  rate,
}: {
  subscriptionIds?: readonly string[] | undefined;
  outcome: OutcomeFilter;
  about: Record<string, unknown>;
  rate?: number | undefined;
}): Record<string, unknown> {
  const subscriptions: ReplayTo = 'chosen';
  return {
    topic: TOPICS.events,
    from: about,
    to: null,
    subscriptionIds: subscriptionIds ?? null,
    subscriptions,
    types: null,
    outcome,
    rate: rate ?? null,
    dryRun: false,
  };
}

/** @param now ms since the epoch */
export function toView(row: Replay, now: number): ReplayView {
  const { spec } = row;
  const result = (row.result ?? {}) as ReplayResult;
  return {
    id: row.id,
    tenantId: row.tenantId,
    kind: row.kind,
    topic: String(spec['topic']),
    from: spec['from'],
    to: spec['to'],
    subscriptionIds: (spec['subscriptionIds'] as string[] | null | undefined) ?? null,
    subscriptions: (spec['subscriptions'] as ReplayTo | undefined) ?? 'matching',
    types: (spec['types'] as string[] | null | undefined) ?? null,
    outcome: (spec['outcome'] as OutcomeFilter | undefined) ?? 'all',
    rate: (spec['rate'] as number | null | undefined) ?? null,
    status: row.status,
    partitions: row.partitions,
    scanned: Number(row.scanned),
    matched: Number(row.matched),
    sent: Number(row.sent),
    undecided: result.undecided ?? 0,
    expunged: result.expunged ?? 0,
    gone: result.gone ?? [],
    dryRun: spec['dryRun'] === true ? { wouldSend: result.wouldSend ?? 0, sample: result.sample ?? [] } : null,
    error: row.error,
    estimatedEndAt: estimatedEnd(row, now)?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}

/** As if the rest took as long, for each offset, as what is done. */
function estimatedEnd({ status, startedAt, partitions }: Replay, now: number): Date | undefined {
  if (status !== 'running' || startedAt === null) return undefined;
  let [done, left] = [0, 0];
  for (const { from, next, to } of Object.values(partitions)) {
    done += next - from;
    left += to - next;
  }
  const elapsed = now - startedAt.getTime();
  const end = new Date(now + (elapsed * left) / done);
  return done > 0 && elapsed > 0 && !Number.isNaN(end.getTime()) ? end : undefined;
}
