import { decodeCursor, encodeCursor, InvalidCursor, type Cursor } from './cursor.js';

/** Where a page of attempts ended: at an attempt of a delivery, or behind all of them. */
export interface AttemptPlace extends Cursor {
  attempt?: { startedAt: Date; id: string };
}

export function encodeAttemptCursor(place: AttemptPlace): string {
  const delivery = encodeCursor(place);
  const { attempt } = place;
  if (attempt === undefined) return delivery;
  return `${delivery}.${Buffer.from(`${attempt.startedAt.getTime()}.${attempt.id}`).toString('base64url')}`;
}

/** @throws InvalidCursor */
export function decodeAttemptCursor(text: string): AttemptPlace {
  const [delivery = '', attempt, ...rest] = text.split('.');
  const place = decodeCursor(delivery);
  if (attempt === undefined) return place;
  const match = /^(\d{1,15})\.([^\0]+)$/.exec(Buffer.from(attempt, 'base64url').toString('utf8'));
  if (!match || rest.length > 0) throw new InvalidCursor('the cursor is not one that a page gave');
  return { ...place, attempt: { startedAt: new Date(Number(match[1])), id: match[2] as string } };
}
