import { CLOCK_KEY, TOPICS } from '@hookline/contracts';
import type { LogClock, Output } from '@hookline/kafka';
import type { Clock, Logger, Metrics } from '@hookline/platform';
import type { LogBounds } from '../replays/resolve-ranges.js';
import type { Settings } from '../settings.js';
import { FailureKeeper } from './failure-keeper.js';

export interface FailuresParts {
  log: Pick<LogBounds, 'bounds'>;
  output: Output;
  /** Hears of what the output appends. */
  logClock: Pick<LogClock, 'now'>;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

/** The keeper of the rule that what fails for too long is disabled; it asks the log what time it is. */
export function failuresOf(
  parts: FailuresParts,
  { failing, admin }: Pick<Settings, 'failing' | 'admin'>,
): FailureKeeper {
  const { log, output, logClock, clock, logger, metrics } = parts;
  const logTime = async (): Promise<number> => {
    await output.produce({ topic: TOPICS.progress, key: CLOCK_KEY, value: null }, admin.requestTimeoutMs);
    return logClock.now();
  };
  const keeper = new FailureKeeper({ log, logTime, clock, logger }, failing);
  const help = 'Subscriptions to which nothing succeeds, by the seconds of that which were last warned of.';
  metrics.gauges('hookline_subscriptions_failing', help, 'stage', () => keeper.counts());
  const unproven =
    'Subscriptions that would be disabled for failing, and are not: nothing has succeeded to any, and it may be our own way out.';
  metrics.gauge('hookline_subscriptions_failing_unproven', unproven, { read: () => keeper.unprovenCount() });
  return keeper;
}
