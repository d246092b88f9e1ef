import type { LogPosition } from '@hookline/contracts';
import { isId } from '@hookline/domain';
import { invalid } from '../http/problems.js';
import { millisOf } from '../topics/timestamp.js';
import type { ReplayHistory } from './replays.service.js';
import type { Begin } from './replays.schemas.js';

/** Where a range begins or ends, once history was asked. */
export type Place =
  | { by: 'offsets'; offsets: Record<string, number> }
  | { by: 'time'; at: number }
  | { by: 'event'; position: LogPosition };

/** @throws ProblemError 400 where history knows no such event, or no success */
export async function placeOf(
  { events, states }: Pick<ReplayHistory, 'events' | 'states'>,
  tenantId: string,
  field: 'from' | 'to',
  boundary: Begin,
): Promise<Place> {
  if ('offsets' in boundary) return { by: 'offsets', offsets: boundary.offsets };
  if ('timestamp' in boundary) return { by: 'time', at: millisOf(boundary.timestamp) };
  if ('eventId' in boundary) {
    const found = await events.find(tenantId, boundary.eventId);
    if (found === undefined)
      throw invalid({ field: `${field}.eventId`, message: 'history has no such event; name a time or offsets' });
    return { by: 'event', position: found.event };
  }
  const { lastSuccessOf } = boundary;
  const at = isId('sub', lastSuccessOf) ? await states.lastSuccess(tenantId, lastSuccessOf) : undefined;
  if (at === undefined)
    throw invalid({ field: `${field}.lastSuccessOf`, message: 'history knows of no success of such a subscription' });
  return { by: 'time', at };
}
