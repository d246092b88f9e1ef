import type { PartitionOffsets } from '@hookline/kafka';
import type { Session } from '@hookline/persistence';
import type { StampedVersion } from './earlier-versions.js';

/** The stamps of versions that were written, or are about to be, as PostgreSQL keeps them: they outlive the topic. */
export interface KeptStamp {
  id: string;
  stamped: StampedVersion;
}

/** @param stamps of each subscription the last one counts */
export async function putStamps(session: Session, stamps: readonly KeptStamp[]): Promise<void> {
  const last = [...new Map(stamps.map((each) => [each.id, each])).values()];
  if (last.length > 0) await session.query(PUT, [JSON.stringify(last)]);
}

/** By subscription. Those are left out that say of an offset which the log has not come to: they are of another log. */
export async function stampsOf(
  session: Session,
  ids: readonly string[],
  events: readonly PartitionOffsets[],
): Promise<Map<string, StampedVersion>> {
  if (ids.length === 0) return new Map();
  const rows = await session.query<{ id: string; stamped: StampedVersion }>(
    'SELECT subscription_id AS id, stamped FROM subscription_stamps WHERE subscription_id = ANY($1)',
    [ids],
  );
  const ends = new Map(events.map(({ partition, high }) => [String(partition), high]));
  const isOfThisLog = ({ holdsFrom }: StampedVersion): boolean =>
    Object.entries(holdsFrom).every(([partition, from]) => from <= (ends.get(partition) ?? 0));
  return new Map(rows.filter(({ stamped }) => isOfThisLog(stamped)).map(({ id, stamped }) => [id, stamped]));
}

/** Of which version each is kept. */
export async function keptVersions(session: Session): Promise<Map<string, number>> {
  const rows = await session.query<{ id: string; version: number }>(
    'SELECT subscription_id AS id, version FROM subscription_stamps',
  );
  return new Map(rows.map(({ id, version }) => [id, version]));
}

/** Also an equal version: it may have been placed anew, in another log. */
const PUT = `
  INSERT INTO subscription_stamps AS s (subscription_id, version, stamped)
  SELECT r->>'id', (r->'stamped'->>'version')::integer, r->'stamped' FROM jsonb_array_elements($1::jsonb) AS r
  ON CONFLICT (subscription_id) DO UPDATE SET version = excluded.version, stamped = excluded.stamped
   WHERE s.version <= excluded.version`;
