import { isRefusal, type Session } from '@hookline/persistence';
import type { Logger } from '@hookline/platform';
import { inTransaction } from '../keepers/keepers.js';
import type { Said } from './record-in.js';

/**
 * Puts down what a batch of `hookline.dead-letters` says, and how far the partition is read, in one transaction. What
 * PostgreSQL refuses for its contents must not hold up what is behind it: it is put down without its detail, and where
 * that is refused as well it is left out and logged.
 */
export async function putDown(
  session: Session,
  found: readonly Said[],
  { partition, next }: { partition: number; next: number },
  logger: Logger,
): Promise<void> {
  const move = (): Promise<unknown> => session.query(MOVE, [partition, next]);
  try {
    await inTransaction(session, async () => {
      await put(session, found);
      await move();
    });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await session.query('ROLLBACK');
    await inTransaction(session, async () => {
      for (const said of found) await putAlone(session, said, logger);
      await move();
    });
  }
}

async function putAlone(session: Session, said: Said, logger: Logger): Promise<void> {
  if (await isTaken(session, said)) return;
  const bare: Said = said.is === 'letter' ? { ...said, letter: { ...said.letter, said: {} } } : said;
  if (await isTaken(session, bare)) return;
  const { partition, offset } = said.is === 'letter' ? said.letter : {};
  logger.error({ partition, offset }, 'a dead letter that PostgreSQL refuses is not listed');
}

async function isTaken(session: Session, said: Said): Promise<boolean> {
  await session.query('SAVEPOINT one');
  try {
    await put(session, [said]);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await session.query('ROLLBACK TO SAVEPOINT one');
    return false;
  }
  await session.query('RELEASE SAVEPOINT one');
  return true;
}

async function put(session: Session, found: readonly Said[]): Promise<void> {
  const letters = found.flatMap((said) => (said.is === 'letter' ? [said.letter] : []));
  if (letters.length > 0) await session.query(PUT, [JSON.stringify(letters)]);
  const redriven = found.flatMap((said) => (said.is === 'redriven' ? [{ key: said.key, at: said.at }] : []));
  if (redriven.length > 0) await session.query(REDRIVEN, [JSON.stringify(redriven)]);
}

const MOVE = `
  INSERT INTO dead_letter_positions (partition, next_offset) VALUES ($1, $2)
  ON CONFLICT (partition) DO UPDATE SET next_offset = excluded.next_offset`;

const PUT = `
  INSERT INTO dead_letter_records (key, kind, tenant_id, subscription_id, source, reason, appended_at, partition,
    "offset", said)
  SELECT r->>'key', r->>'kind', r->>'tenantId', r->>'subscriptionId', r->>'source', r->>'reason',
         (r->>'appendedAt')::timestamptz, (r->>'partition')::integer, (r->>'offset')::bigint, r->'said'
    FROM jsonb_array_elements($1::jsonb) AS r
  ON CONFLICT (key) DO NOTHING`;

const REDRIVEN = `
  UPDATE dead_letter_records k SET redriven_at = (r->>'at')::timestamptz
    FROM jsonb_array_elements($1::jsonb) AS r WHERE k.key = r->>'key'`;
