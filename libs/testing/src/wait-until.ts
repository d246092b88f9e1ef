const POLL_MS = 20;

/**
 * Waits until the condition gives something other than false, null or undefined, and returns that. A condition that
 * throws is one that does not hold yet.
 * @throws Error that says what was waited for, and how the condition failed last, when the deadline has passed
 */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  { deadlineMs, what }: { deadlineMs: number; what: string },
): Promise<NonNullable<Exclude<T, false>>> {
  const end = Date.now() + deadlineMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await condition();
      lastError = undefined;
      if (value !== false && value !== undefined && value !== null) return value as NonNullable<Exclude<T, false>>;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms for ${what}`, { cause: lastError });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
