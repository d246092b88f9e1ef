import type { Queryable } from '@hookline/persistence';

/** How a subscription is now. */
export interface Subscribed {
  status: string;
  epoch: number;
  version: number;
}

/** By id, the subscriptions of these as they are now. */
export async function subscribedNow(database: Queryable, ids: readonly string[]): Promise<Map<string, Subscribed>> {
  if (ids.length === 0) return new Map();
  const rows = await database.query<(Subscribed & { id: string })[]>(
    'SELECT id, status, epoch, version FROM subscriptions WHERE id = ANY($1)',
    [ids],
  );
  return new Map(rows.map(({ id, ...subscribed }) => [id, subscribed]));
}
