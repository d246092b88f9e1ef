/** Does something under a name: each of its steps is a line, and so is how long the whole of it took. */
export async function timed<T>(
  name: string,
  say: (line: string) => void,
  act: (onProgress: (line: string) => void) => Promise<T>,
): Promise<T> {
  const began = performance.now();
  const result = await act((line) => say(`${name}: ${line}…`));
  say(`${name}: up in ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  return result;
}

/** As Promise.all, but nothing is left running when it rejects: whoever cleans up then knows of everything. */
export async function allOrFirstFailure<const T extends readonly Promise<unknown>[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises) as Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>;
}
