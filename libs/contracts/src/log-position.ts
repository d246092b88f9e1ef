/** Where an event stands in `hookline.events`. Offsets are numbers: exact up to 2^53. */
export interface LogPosition {
  partition: number;
  offset: number;
  /** The broker's append time, milliseconds since the epoch. */
  at: number;
}

export function encodePosition({ partition, offset, at }: LogPosition): string {
  return `${partition}:${offset}:${at}`;
}

/** @throws UnreadableRecord naming the header */
export function decodePosition(headers: Readonly<Record<string, unknown>>, name: string): LogPosition {
  const match = /^(\d{1,16}):(\d{1,16}):(\d{1,16})$/.exec(requiredHeader(headers, name));
  if (!match) throw new UnreadableRecord(`header ${name} is not a log position`);
  return { partition: Number(match[1]), offset: Number(match[2]), at: Number(match[3]) };
}

/** A record's headers as kafkajs takes and gives them, one value each. */
export type RecordHeaders = Record<string, Buffer | string>;

/** What a record cannot be read for: garbage, an unknown version, a missing header. */
export class UnreadableRecord extends Error {
  override name = 'UnreadableRecord';
}

/** What is read, or undefined where the record can't be. @throws whatever else stands in the way */
export function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadableRecord) return undefined;
    throw error;
  }
}

/** The value of a header that must be there. @throws UnreadableRecord naming the header. */
export function requiredHeader(headers: Readonly<Record<string, unknown>>, name: string): string {
  const value = optionalHeader(headers, name);
  if (value === undefined) throw new UnreadableRecord(`header ${name} is missing`);
  return value;
}

/** The value of a header as text; the first one where a producer wrote several. */
export function optionalHeader(headers: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const raw = headers[name];
  const value: unknown = Array.isArray(raw) ? raw[0] : raw;
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : (value as Buffer).toString('utf8');
}

/** A header that must be a whole number ≥ 0. @throws UnreadableRecord */
export function numericHeader(headers: Readonly<Record<string, unknown>>, name: string): number {
  const value = Number(requiredHeader(headers, name));
  if (!Number.isSafeInteger(value) || value < 0) throw new UnreadableRecord(`header ${name} is not a whole number`);
  return value;
}
