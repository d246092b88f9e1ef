import { maskedValue } from '@hookline/domain';
import type { RawHeaders } from './raw-headers.js';

const MOST = 16;

/**
 * The headers of an answer that are kept, in their order: 16 at most, without those that don't fit any more, and with
 * secrets masked before anybody has written them down.
 * @param bytes of names and values at most
 * @returns name, value, name, value …; names in lower case
 */
export function keptHeaders(headers: RawHeaders, bytes: number): string[] {
  const kept: string[] = [];
  let left = bytes;
  for (let at = 0; at + 1 < headers.length && kept.length < 2 * MOST; at += 2) {
    const [name, value] = [headers[at] as Buffer, headers[at + 1] as Buffer];
    if (name.length + value.length > left) continue;
    const lower = name.toString('latin1').toLowerCase();
    const shown = maskedValue(lower, value.toString('latin1'));
    left -= lower.length + shown.length;
    kept.push(lower, shown);
  }
  return kept;
}
