export type StopReason = 'signal' | 'orphaned';

/** npm passes a signal on that the terminal has sent to us as well: two so close together are one. */
const ECHO_MS = 1_000;
const PARENT_POLL_MS = 500;
const EXIT_KILLED = 130;

/**
 * Resolves on the first Ctrl-C, TERM or HUP, or when npm, which started us, was killed. The second Ctrl-C ends this
 * process at once; what it has started then dies with it.
 */
export function stopRequested(): Promise<StopReason> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const onSignal = (): void => {
      if (firstAt === undefined) firstAt = Date.now();
      else if (Date.now() - firstAt > ECHO_MS) process.exit(EXIT_KILLED);
      resolve('signal');
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
    whenParentIsGone(() => resolve('orphaned'));
  });
}

/** Only under npm: whoever starts us otherwise may leave on purpose, a shell with `&` for one. */
function whenParentIsGone(callback: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    callback();
  }, PARENT_POLL_MS);
  timer.unref();
}
