import type { PoolClient } from 'pg';
import { from } from 'pg-copy-streams';
import { pipeline } from 'node:stream/promises';
import { BinaryBuffer } from './binary-buffer.js';

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const END_OF_ROWS = -1;

/** How rows of one table are written by COPY. */
export interface CopyTable<Row> {
  name: string;
  columns: readonly string[];
  /** Writes the values in the order of the columns. */
  encode(buffer: BinaryBuffer, row: Row): void;
}

/**
 * Writes rows with COPY in the binary format: nothing is turned into text and read again.
 * @param buffer scratch space; it must not be used again before this has resolved
 */
export async function copyRows<Row>(
  client: PoolClient,
  table: CopyTable<Row>,
  rows: readonly Row[],
  buffer: BinaryBuffer,
): Promise<void> {
  buffer.reset().raw(SIGNATURE).rawInt32(0).rawInt32(0);
  for (const row of rows) {
    buffer.rawInt16(table.columns.length);
    table.encode(buffer, row);
  }
  buffer.rawInt16(END_OF_ROWS);
  const stream = client.query(from(`COPY ${table.name} (${table.columns.join(', ')}) FROM STDIN (FORMAT binary)`));
  await pipeline([buffer.bytes()], stream);
}
