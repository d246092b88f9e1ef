/** Headers as undici reads them: name, value, name, value …, as bytes. */
export type RawHeaders = readonly Buffer[];

/** A header's name in lower case, for `findHeader`. */
export const headerName = (name: string): Buffer => Buffer.from(name, 'latin1');

/**
 * The first value of a header, found without making a string of any name.
 * @param name of `headerName`
 */
export function findHeader(headers: RawHeaders, name: Buffer): Buffer | undefined {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const candidate = headers[at] as Buffer;
    if (candidate.length === name.length && isSameName(candidate, name)) return headers[at + 1];
  }
  return undefined;
}

/** The number that a value of digits only stands for; Infinity where it is too long to be exact. */
export function wholeNumber(value: Buffer): number | undefined {
  if (value.length === 0) return undefined;
  let number = 0;
  for (const byte of value) {
    if (byte < 0x30 || byte > 0x39) return undefined;
    number = number * 10 + byte - 0x30;
  }
  return Number.isSafeInteger(number) ? number : Infinity;
}

/** The bit that makes letters small leaves digits and the hyphen as they are. */
function isSameName(candidate: Buffer, name: Buffer): boolean {
  for (let at = 0; at < name.length; at++) if (((candidate[at] as number) | 0x20) !== name[at]) return false;
  return true;
}
