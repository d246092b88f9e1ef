import { optionalHeader, UnreadableRecord, type RecordHeaders } from './log-position.js';

/** Where a record of a source stood, and what besides its headers and value is needed to read it again. */
export interface SourceOrigin {
  source: string;
  /** Whose source it was when the record was read. */
  tenant: string;
  topic: string;
  partition: number;
  offset: number;
  /** The record's timestamp, ms since the epoch. */
  timestamp: number;
  /** The record's key, base64; null where it has none. */
  key: string | null;
  /** The record was too large to be kept: headers and value are in its own topic only. */
  leftOut?: true;
}

/** What a dead letter of a source says. */
export interface SourceDeadLetter {
  origin: SourceOrigin;
  /** Why the record is no event. */
  detail: string;
  /** The record's own headers. */
  headers: RecordHeaders;
}

const VERSION = 1;
const ORIGIN = 'source-record';
const REDRIVEN = 'source-redriven';
const OWN = new Set([ORIGIN, REDRIVEN, 'reason', 'detail', 'origin']);
const MOVED = 'source-header.';

/**
 * A record of a source that is no event, in `hookline.dead-letters`: its own value and headers, with `reason`
 * (`unreadable`), `detail`, `origin` (topic:partition:offset) and `source-record`, the {@link SourceOrigin} as JSON. A
 * header of its own with one of those names is kept as `source-header.<name>`.
 * Key: source and partition, so that what came from one partition stays in its order.
 */
export function encodeSourceDeadLetter({ origin, detail, headers }: SourceDeadLetter): {
  key: string;
  headers: RecordHeaders;
} {
  // Not by assignment: a header may be called `__proto__`.
  const kept: RecordHeaders = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      OWN.has(name) || name.startsWith(MOVED) ? MOVED + name : name,
      value,
    ]),
  );
  const said = {
    reason: 'unreadable',
    detail,
    origin: originText(origin),
    [ORIGIN]: JSON.stringify({ v: VERSION, ...origin }),
  };
  return { key: keyOf(origin), headers: { ...kept, ...said } };
}

/**
 * Undefined for a dead letter that is not of a source.
 * @throws UnreadableRecord
 */
export function decodeSourceDeadLetter(headers: Readonly<Record<string, unknown>>): SourceDeadLetter | undefined {
  const text = optionalHeader(headers, ORIGIN);
  if (text === undefined) return undefined;
  const own = Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !OWN.has(name))
      .map(([name, value]) => [name.startsWith(MOVED) ? name.slice(MOVED.length) : name, value as Buffer]),
  );
  return { origin: parse(text), detail: optionalHeader(headers, 'detail') ?? '', headers: own };
}

/**
 * Whether a dead letter is one of these, or says that one was redriven, be it readable or not. What else its headers say
 * is then its producer's word, and proves nothing of Hookline's own deliveries.
 */
export function isOfSource(headers: Readonly<Record<string, unknown>>): boolean {
  return headers[ORIGIN] !== undefined || headers[REDRIVEN] !== undefined;
}

/** Says in `hookline.dead-letters`, behind the dead letter, that its record has become an event. No value. */
export function encodeRedriven(origin: SourceOrigin): { key: string; headers: RecordHeaders } {
  const headers = {
    reason: 'redriven',
    origin: originText(origin),
    [REDRIVEN]: JSON.stringify({ v: VERSION, ...origin }),
  };
  return { key: keyOf(origin), headers };
}

/** Undefined for any other record. @throws UnreadableRecord */
export function decodeRedriven(headers: Readonly<Record<string, unknown>>): SourceOrigin | undefined {
  const text = optionalHeader(headers, REDRIVEN);
  return text === undefined ? undefined : parse(text);
}

/** As people name a record: topic:partition:offset. */
export const originText = ({
  topic,
  partition,
  offset,
}: Pick<SourceOrigin, 'topic' | 'partition' | 'offset'>): string => `${topic}:${partition}:${offset}`;

const keyOf = ({ source, partition }: SourceOrigin): string => `source\0${source}\0${partition}`;

function parse(text: string): SourceOrigin {
  try {
    const { v, ...origin } = JSON.parse(text) as SourceOrigin & { v: number };
    if (v === VERSION && typeof origin.source === 'string' && typeof origin.offset === 'number') return origin;
  } catch {
    // falls through: the same answer for no JSON and for another version
  }
  throw new UnreadableRecord('a dead letter of a source of an unknown version');
}
