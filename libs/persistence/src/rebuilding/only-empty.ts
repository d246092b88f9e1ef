import { Refusal } from '@hookline/platform';
import type { EntityManager } from 'typeorm';

/**
 * Makes sure that nobody has written to this database, and that nobody does until the transaction is over: no admin-api a
 * tenant, no recorder history, and no other rebuild. A recorder that is waiting for its turn finds all that this
 * transaction writes, so it leaves out what was expunged; what another one wrote before may have it in it.
 * @throws Refusal where somebody has
 */
export async function lockEmpty(manager: EntityManager): Promise<void> {
  await manager.query('LOCK TABLE tenants, recorder_offsets IN EXCLUSIVE MODE');
  const [tenant] = await manager.query<{ id: string }[]>('SELECT id FROM tenants LIMIT 1');
  if (tenant !== undefined)
    throw new Refusal(
      `The database has tenants already (${tenant.id}): only an empty one is rebuilt. Nothing was written. Drop it first, or name another one in DATABASE_URL.`,
    );
  const [moved] = await manager.query<{ topic: string; partition: number; next_offset: string }[]>(
    'SELECT topic, partition, next_offset FROM recorder_offsets WHERE next_offset > 0 ORDER BY 1, 2 LIMIT 1',
  );
  if (moved !== undefined)
    throw new Refusal(
      `Recorders have written history into this database already (partition ${moved.partition} of ${moved.topic} up to ${moved.next_offset}), with payloads in it that were expunged: only an empty one is rebuilt. Nothing was written. Stop the recorders and admin-api, drop the database or name another one in DATABASE_URL, and start them when this is done.`,
    );
}
