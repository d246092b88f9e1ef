import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 100;

/** Looks again and again until there is an answer. @throws Error that says what was waited for */
export async function until<T>(
  what: string,
  deadlineMs: number,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`waited ${deadlineMs / 1_000} s for ${what}`);
    await pause(POLL_MS);
  }
}
