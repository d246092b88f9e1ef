import type { Replay } from '@hookline/persistence';
import type { CreateReplay, ReplayView } from './replays.schemas.js';

/** What was asked for, as it is kept. */
export function specOf({ topic, from, to, subscriptionIds }: CreateReplay): Record<string, unknown> {
  return { topic, from, to: to ?? null, subscriptionIds: subscriptionIds ?? null };
}

export function subscriptionIdsOf({ spec }: Pick<Replay, 'spec'>): string[] | undefined {
  return (spec['subscriptionIds'] as string[] | null) ?? undefined;
}

export function toView(row: Replay): ReplayView {
  return {
    id: row.id,
    tenantId: row.tenantId,
    topic: String(row.spec['topic']),
    from: row.spec['from'],
    to: row.spec['to'],
    subscriptionIds: subscriptionIdsOf(row) ?? null,
    status: row.status,
    partitions: row.partitions,
    scanned: Number(row.scanned),
    matched: Number(row.matched),
    sent: Number(row.sent),
    error: row.error,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}
