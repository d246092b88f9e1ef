import { setTimeout as pause } from 'node:timers/promises';

const CALL_MS = 15_000;
const AGAIN_MS = 500;
/** Longer than any fault and its healing take. */
const DEADLINE_MS = 300_000;

/**
 * Calls management until it has acknowledged the change, for it may be down.
 * @param call is made again where nobody knows whether it came through
 * @throws Error where it was not acknowledged in all that time
 */
export async function insist<T>(what: string, call: () => Promise<T>): Promise<T> {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const late = pause(CALL_MS, undefined, { ref: false }).then(() => {
      throw new Error('it was not answered');
    });
    // Where the call is answered first, nobody minds that it would have been late.
    late.catch(() => undefined);
    const made = await Promise.race([call(), late]).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if ('value' in made) return made.value;
    if (Date.now() > end) throw new Error(`${what} was not acknowledged`, { cause: made.error });
    await pause(AGAIN_MS);
  }
}
