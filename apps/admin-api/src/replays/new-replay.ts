import { newId } from '@hookline/domain';
import { Replay, REPLAY_CHANNEL, type ReplayRange } from '@hookline/persistence';
import { IsNull, type EntityManager } from 'typeorm';
import { limitReached } from '../http/problems.js';
import { findTenant } from '../tenants/tenants.service.js';

/** A replay as somebody asks for it; it has not begun. */
export function newReplay(
  { tenantId, spec, partitions }: Pick<Replay, 'spec'> & { tenantId: string; partitions: Record<string, ReplayRange> },
  now: Date,
): Replay & { tenantId: string } {
  return {
    id: newId('rpl'),
    tenantId,
    spec,
    status: 'pending',
    partitions,
    scanned: '0',
    matched: '0',
    sent: '0',
    error: null,
    createdAt: now,
    updatedAt: now,
    finishedAt: null,
    kind: 'replay',
    subscriptionId: null,
    version: null,
    toOffsets: null,
    toldAt: null,
    notBefore: null,
    resumeAt: null,
    startedAt: null,
    result: null,
    lookedThroughAt: null,
  };
}

/**
 * Puts it down for whoever runs replays.
 * @param maxOpen unfinished replays of the tenant at most, with this one
 * @throws ProblemError 409
 */
export async function insertReplay(
  manager: EntityManager,
  row: Replay & { tenantId: string },
  maxOpen: number,
): Promise<void> {
  const { tenantId } = row;
  await findTenant(manager, tenantId, true);
  const open = await manager.countBy(Replay, { tenantId, kind: 'replay', finishedAt: IsNull() });
  if (open >= maxOpen) throw limitReached('unfinished replays', maxOpen);
  // The typing of TypeORM takes a column of JSON apart.
  await manager.insert(Replay, row as object);
  await manager.query(`SELECT pg_notify('${REPLAY_CHANNEL}', '')`);
}
