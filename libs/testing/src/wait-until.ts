const POLL_MS = 20;
/** Between two looks that take long themselves, ms: what is waited for needs the machine, too. */
const POLL_MOST_MS = 500;
/** Characters of what was seen last: enough to tell 0 from 2, not a whole log. */
const SEEN_MOST = 500;

/** What a wait is for, and what is said where it was in vain. */
export interface Awaited {
  deadlineMs: number;
  what: string;
  /** Asked once, at the deadline: what there is instead, so that a failure can be read without a second run. */
  seen?: (() => unknown) | undefined;
}

/**
 * Waits until the condition gives something other than false, null or undefined, and returns that. A condition that
 * throws is one that does not hold yet.
 * @throws Error that says what was waited for, how the condition failed last, and what was seen, when the deadline has passed
 */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  { deadlineMs, what, seen }: Awaited,
): Promise<NonNullable<Exclude<T, false>>> {
  const end = Date.now() + deadlineMs;
  let lastError: unknown;
  for (;;) {
    const begun = Date.now();
    try {
      const value = await condition();
      lastError = undefined;
      if (value !== false && value !== undefined && value !== null) return value as NonNullable<Exclude<T, false>>;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() > end) {
      const thrown = lastError === undefined ? '' : `; last it failed: ${textOf(lastError)}`;
      throw new Error(`waited ${deadlineMs} ms for ${what}${thrown}${await sightOf(seen)}`, { cause: lastError });
    }
    const pauseMs = Math.min(Math.max(POLL_MS, Date.now() - begun), POLL_MOST_MS);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

async function sightOf(seen: Awaited['seen']): Promise<string> {
  if (seen === undefined) return '';
  try {
    return `; seen: ${textOf(await seen())}`;
  } catch (error) {
    return `; what there is can not be seen: ${textOf(error)}`;
  }
}

function textOf(value: unknown): string {
  const text = value instanceof Error ? value.message : typeof value === 'string' ? value : JSON.stringify(value);
  return (text ?? String(value)).slice(0, SEEN_MOST);
}
