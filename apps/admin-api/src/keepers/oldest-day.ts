import type { Session } from '@hookline/persistence';

/** When the first day of history begins that is still there; undefined where there is none. */
export async function oldestDay(session: Session): Promise<Date | undefined> {
  const [row] = await session.query<{ day: string | null }>(OLDEST_DAY);
  return row?.day ? startOf(row.day) : undefined;
}

/** @param day as `20261122` */
function startOf(day: string): Date {
  return new Date(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`);
}

/** As its table is named. Of the tables that are cut into days this one goes after that of the events. */
const OLDEST_DAY = `
  SELECT min(right(c.relname, 8)) AS day FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
   WHERE i.inhparent = 'deliveries'::regclass AND c.relname ~ '_[0-9]{8}$'`;
