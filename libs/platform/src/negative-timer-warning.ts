let muted = false;

/**
 * kafkajs 2.2.4 arms a timer with a negative delay after each answer (#1751). It is harmless, and Node 24 warns of the
 * first one in a process: that one is dropped, a negative timer of anyone else is still reported.
 */
export function muteNegativeTimerWarning(): void {
  if (muted) return;
  muted = true;
  const emitWarning = process.emitWarning as (...args: unknown[]) => void;
  process.emitWarning = ((...args: unknown[]) => {
    if (args[1] === 'TimeoutNegativeWarning' && new Error().stack?.includes('kafkajs')) return;
    emitWarning.apply(process, args);
  }) as typeof process.emitWarning;
}
