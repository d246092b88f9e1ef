import { createHash } from 'node:crypto';
import {
  decodeHeldRange,
  decodeRedriven,
  decodeSourceDeadLetter,
  optionalHeader,
  originText,
  readable,
  type SourceOrigin,
} from '@hookline/contracts';
import type { ReadRecord } from '@hookline/kafka';
import type { DeadLetterRecord } from '@hookline/persistence';

/** What a record of `hookline.dead-letters` says that is no single delivery; those are in history. */
export type Said =
  | { is: 'letter'; letter: Omit<DeadLetterRecord, 'redrivenAt'> }
  /** The record with this key has become an event. */
  | { is: 'redriven'; key: string; at: Date };

/** Undefined for a delivery, and for what has no shape that is known. */
export function recordIn(record: ReadRecord): Said | undefined {
  return readable(() => said(record));
}

function said({ headers, partition, offset, timestamp }: ReadRecord): Said | undefined {
  const reason = optionalHeader(headers, 'reason') ?? 'unreadable';
  const letter = (
    its: Omit<DeadLetterRecord, 'redrivenAt' | 'reason' | 'appendedAt' | 'partition' | 'offset'>,
  ): Said => {
    const place = { appendedAt: new Date(timestamp), partition, offset };
    return { is: 'letter', letter: { ...storable({ ...its, reason }), ...place } };
  };
  const redriven = decodeRedriven(headers);
  if (redriven !== undefined) return { is: 'redriven', key: keyOfSource(redriven), at: new Date(timestamp) };

  const source = decodeSourceDeadLetter(headers);
  if (source !== undefined) {
    const { origin, detail } = source;
    const about = { origin: originText(origin), detail };
    const whose = { tenantId: origin.tenant, subscriptionId: null, source: origin.source };
    return letter({ key: keyOfSource(origin), kind: 'source', ...whose, said: about });
  }

  // After what is of a source, for its producers choose what other headers that has.
  const held = decodeHeldRange(headers);
  if (held !== undefined) {
    const { tenant, subscriptionId, ...range } = held;
    const key = hashed('range', subscriptionId, reason, range.partition, range.from, range.to);
    return letter({ key, kind: 'range', tenantId: tenant, subscriptionId, source: null, said: { range } });
  }

  const origin = optionalHeader(headers, 'origin');
  if (origin === undefined) return undefined;
  const about = { origin, detail: optionalHeader(headers, 'detail') ?? '' };
  const nobodys = { tenantId: null, subscriptionId: null, source: null };
  return letter({ key: hashed('record', origin), kind: 'record', ...nobodys, said: about });
}

function keyOfSource(origin: SourceOrigin): string {
  return hashed('source', origin.source, originText(origin));
}

/** Short, whatever names it is made of. */
function hashed(...parts: (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/** Without what PostgreSQL takes in no text: NULs and halves of surrogate pairs. Of plain JSON. */
function storable<T>(value: T): T {
  const text = JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'string' ? each.replaceAll('\0', '').replaceAll(/\p{Surrogate}/gu, '\ufffd') : each,
  );
  return JSON.parse(text) as T;
}
