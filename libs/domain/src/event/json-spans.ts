/** Where a value stands in the bytes; `end` is exclusive. */
export interface JsonSpan {
  start: number;
  end: number;
}

/** A member of an object: its name as it means (escapes resolved), and where its value stands. */
export interface JsonMember extends JsonSpan {
  name: string;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;

/**
 * The members of the object that begins at `at`, in their order, repeated names and all.
 *
 * The bytes must be JSON: they have been parsed before. That is why nothing is checked here, and why it costs about a
 * nanosecond for each byte: what a publisher sent is signed and delivered as it came, so it is found, not printed again.
 */
export function membersOf(bytes: Buffer, at: number): JsonMember[] {
  const members: JsonMember[] = [];
  let position = skipSpace(bytes, at + 1);
  while (bytes[position] !== CLOSE_OBJECT) {
    const afterName = skipString(bytes, position);
    const name = textOf(bytes, position, afterName);
    // past the colon
    const start = skipSpace(bytes, skipSpace(bytes, afterName) + 1);
    const end = skipValue(bytes, start);
    members.push({ name, start, end });
    position = skipSpace(bytes, end);
    if (bytes[position] === COMMA) position = skipSpace(bytes, position + 1);
  }
  return members;
}

/** The elements of the list that begins at `at`. The bytes must be JSON. */
export function elementsOf(bytes: Buffer, at: number): JsonSpan[] {
  const elements: JsonSpan[] = [];
  let position = skipSpace(bytes, at + 1);
  while (bytes[position] !== CLOSE_LIST) {
    const end = skipValue(bytes, position);
    elements.push({ start: position, end });
    position = skipSpace(bytes, end);
    if (bytes[position] === COMMA) position = skipSpace(bytes, position + 1);
  }
  return elements;
}

/** The first byte at or after `at` that is no white space. */
export function skipSpace(bytes: Buffer, at: number): number {
  let position = at;
  while ((bytes[position] as number) <= SPACE) position += 1;
  return position;
}

function skipValue(bytes: Buffer, at: number): number {
  const first = bytes[at];
  if (first === QUOTE) return skipString(bytes, at);
  return first === OPEN_OBJECT || first === OPEN_LIST ? skipNested(bytes, at) : skipScalar(bytes, at);
}

/** Depth is counted, not recursed into: a value may be nested as deep as it likes. */
function skipNested(bytes: Buffer, at: number): number {
  let depth = 0;
  let position = at;
  do {
    const byte = bytes[position];
    if (byte === QUOTE) {
      position = skipString(bytes, position);
      continue;
    }
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth -= 1;
    position += 1;
  } while (depth > 0);
  return position;
}

/** From the opening quote to behind the closing one. No byte of a longer UTF-8 sequence looks like either mark. */
function skipString(bytes: Buffer, at: number): number {
  let position = at + 1;
  for (;;) {
    const byte = bytes[position];
    if (byte === QUOTE) return position + 1;
    position += byte === BACKSLASH ? 2 : 1;
  }
}

/** A number, `true`, `false` or `null`. */
function skipScalar(bytes: Buffer, at: number): number {
  let position = at;
  while (position < bytes.length) {
    const byte = bytes[position] as number;
    if (byte <= SPACE || byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST) break;
    position += 1;
  }
  return position;
}

function textOf(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start + 1, end - 1);
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}
