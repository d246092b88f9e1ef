import type { Clock } from '@hookline/platform';

/** Resolves after `ms`, or at once when the signal is aborted. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener('abort', done);
  });
}

/** Resolves when `done` does, at the latest after `ms`. */
export async function atMost(clock: Clock, ms: number, done: Promise<unknown>): Promise<void> {
  let cancel = (): void => undefined;
  const enough = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  await Promise.race([done, enough]);
  cancel();
}

/** What `promise` gives, within `ms`. @throws Error with `what` when the time is over, else what the promise throws */
export function inTime<T>(clock: Clock, ms: number, promise: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(new Error(`${what} in ${ms} ms`)));
    promise.then(resolve, reject).finally(cancel);
  });
}
