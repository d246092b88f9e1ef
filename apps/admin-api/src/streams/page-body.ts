import { isUtf8 } from 'node:buffer';
import type { StreamEvent } from '@hookline/persistence';

export interface PageToSend {
  events: readonly StreamEvent[];
  cursor: string;
  more: boolean;
}

/** The answer as bytes, in which the data of each event stands as it was published: a number keeps every digit. */
export function pageBody({ events, cursor, more }: PageToSend): Buffer {
  const parts: Buffer[] = [];
  for (const event of events) {
    parts.push(Buffer.from(`${parts.length === 0 ? '' : ','}${headOf(event)},"data":`), dataOf(event), CLOSE);
  }
  const rest = `],"cursor":${JSON.stringify(cursor)},"more":${more}}`;
  return Buffer.concat([Buffer.from('{"items":['), ...parts, Buffer.from(rest)]);
}

const CLOSE = Buffer.from('}');
const NULL = Buffer.from('null');

/** All but the data, without the closing brace. */
function headOf({ id, type, time, key, partition, offset, at }: StreamEvent): string {
  const head = { id, type, time, key, partition, offset, appendedAt: new Date(at).toISOString() };
  return JSON.stringify(head).slice(0, -1);
}

/** It was checked to be JSON when it was published; if it is not, it goes as a text. */
function dataOf({ payload }: StreamEvent): Buffer {
  if (payload === null) return NULL;
  return isJson(payload) ? payload : Buffer.from(JSON.stringify(payload.toString('utf8')));
}

function isJson(bytes: Buffer): boolean {
  if (!isUtf8(bytes)) return false;
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
