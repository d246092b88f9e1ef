import { BinaryBuffer } from './binary-buffer.js';

/** A type whose arrays can be a parameter in binary form. */
export interface ElementType<T> {
  oid: number;
  encode(buffer: BinaryBuffer, value: T): void;
}

export const BOOLEAN: ElementType<boolean> = { oid: 16, encode: (buffer, value) => buffer.boolean(value) };
export const INT8: ElementType<number | undefined> = { oid: 20, encode: (buffer, value) => buffer.int8(value) };
export const INT4: ElementType<number | undefined> = { oid: 23, encode: (buffer, value) => buffer.int4(value) };
export const TEXT: ElementType<string | undefined> = { oid: 25, encode: (buffer, value) => buffer.text(value) };
export const TIMESTAMP: ElementType<number | undefined> = {
  oid: 1184,
  encode: (buffer, ms) => buffer.timestamp(ms),
};
/** From 32 hex digits. */
export const UUID: ElementType<string> = { oid: 2950, encode: (buffer, hex) => buffer.uuid(hex) };

/** One column of many rows as an array in PostgreSQL's binary form; `pg` sends a Buffer as it is. */
export function binaryArray<T, Row>(type: ElementType<T>, rows: readonly Row[], value: (row: Row) => T): Buffer {
  const buffer = new BinaryBuffer(20 + rows.length * 24);
  buffer.rawInt32(1).rawInt32(1).rawInt32(type.oid).rawInt32(rows.length).rawInt32(1);
  for (const row of rows) type.encode(buffer, value(row));
  return buffer.bytes();
}
