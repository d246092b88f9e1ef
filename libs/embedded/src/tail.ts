import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The end of a text file; empty if it can't be read. */
export function tailOf(file: string, bytes = 16_384): string {
  try {
    const fd = openSync(file, 'r');
    try {
      const { size } = fstatSync(fd);
      const buffer = Buffer.alloc(Math.min(size, bytes));
      readSync(fd, buffer, 0, buffer.length, size - buffer.length);
      return buffer.toString('utf8');
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}

/** Whether a program ended because its disk was full, by what it said last. */
export const saysDiskFull = (log: string): boolean => /No space left on device|ENOSPC/i.test(log);
