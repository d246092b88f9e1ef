import { isDeepStrictEqual } from 'node:util';

/**
 * Each id once, where it came first: what deduplication leaves of that which is sent at least once. After a send that was
 * not answered, or a lease that was lost while a machine stood still, something comes again; then it is the same, byte for
 * byte, and a test counts it once. What must never come twice is compared as it is, without this.
 * @param contentOf what a repeat has in common with the first; the whole by default
 * @throws Error where two of an id differ: that is no repeat
 */
export function distinct<T>(
  all: readonly T[],
  idOf: (one: T) => string,
  contentOf: (one: T) => unknown = (one) => one,
): T[] {
  const firsts = new Map<string, T>();
  for (const one of all) {
    const id = idOf(one);
    const first = firsts.get(id);
    if (first === undefined) firsts.set(id, one);
    else if (!isDeepStrictEqual(contentOf(first), contentOf(one)))
      throw new Error(`${id} came again, and is another: ${JSON.stringify([contentOf(first), contentOf(one)])}`);
  }
  return [...firsts.values()];
}
