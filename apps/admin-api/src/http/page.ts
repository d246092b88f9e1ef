import { InvalidCursor } from '@hookline/persistence';
import { z } from 'zod';
import { invalid } from './problems.js';

const MAX_PAGE = 200;

/** What every list takes. */
export const pageQuery = {
  cursor: z.string().max(300).optional().describe('Where the page begins: `nextCursor` of the page before.'),
  limit: z
    .string()
    .regex(/^\d{1,4}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(1, 'must be at least 1').max(MAX_PAGE, `must be at most ${MAX_PAGE}`))
    .prefault('50')
    .describe(`Items on the page: 1 to ${MAX_PAGE}.`),
};

/** A page as it is answered. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

export interface Page<T> {
  items: T[];
  /** Null on the last page. */
  nextCursor: string | null;
}

/** Where a page ended, in lists that are ordered by creation and id. */
export interface Position {
  at: Date;
  id: string;
}

interface Positioned {
  createdAt: Date;
  id: string;
}

/** Cuts the page out of `limit + 1` rows. */
export function toPage<R extends Positioned, T>(rows: readonly R[], limit: number, view: (row: R) => T): Page<T> {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  const cursor = last && Buffer.from(`${last.createdAt.getTime()}.${last.id}`).toString('base64url');
  return { items: shown.map(view), nextCursor: cursor ?? null };
}

/** @throws ProblemError 400 if no page gave this cursor */
export function positionOf(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  const match = /^(\d{1,14})\.([a-z]{3}_[0-9a-z]{20})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (!match) throw invalidCursor();
  return { at: new Date(Number(match[1])), id: match[2] as string };
}

/**
 * A page of history, from a cursor of a caller.
 * @throws ProblemError 400 if no page gave that
 */
export async function fromCursor<T>(page: Promise<T>): Promise<T> {
  try {
    return await page;
  } catch (error) {
    throw error instanceof InvalidCursor ? invalidCursor() : error;
  }
}

export function invalidCursor(): Error {
  return invalid({ field: 'cursor', message: 'is not one that a page gave' });
}
