/** Where a page of deliveries ended. */
export interface Cursor {
  at: Date;
  uuid: string;
}

/** It was not made by {@link encodeCursor}. */
export class InvalidCursor extends Error {
  override name = 'InvalidCursor';
}

export function encodeCursor({ at, uuid }: Cursor): string {
  return Buffer.from(`${at.getTime()}.${uuid}`).toString('base64url');
}

/** @throws InvalidCursor */
export function decodeCursor(text: string): Cursor {
  const match = /^(\d{1,15})\.([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/.exec(
    Buffer.from(text, 'base64url').toString('utf8'),
  );
  if (!match) throw new InvalidCursor('the cursor is not one that a page gave');
  return { at: new Date(Number(match[1])), uuid: match[2] as string };
}
