import type { PublishConfig, RelayConfig } from '@hookline/config';
import type { Output } from '@hookline/kafka';
import type { Clock, HealthRegistry, Logger, Metrics } from '@hookline/platform';
import { BatchSender } from './batch-sender.js';
import { OutboxRelay } from './outbox-relay.js';
import { openOutboxSession } from './outbox-session.js';
import { OutboxWatch } from './outbox-watch.js';
import { relayMetrics } from './relay-observer.js';
import { RowReader } from './row-reader.js';

export interface OutboxParts {
  output: Output;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  health: HealthRegistry;
  /** How long a stop waits for what is out; ms. */
  drainMs: number;
}

/** What relays an outbox, and looks how much waits there. */
export interface Outbox {
  start(): void;
  stop(): Promise<void>;
}

export function createOutbox(config: { relay: RelayConfig; publish: PublishConfig }, parts: OutboxParts): Outbox {
  const { output, clock, logger, metrics, health, drainMs } = parts;
  const { relay: settings, publish } = config;
  const openSession = () => openOutboxSession(settings);
  const relay = new OutboxRelay(
    {
      openSession,
      reader: new RowReader(publish, settings),
      sender: new BatchSender(output),
      clock,
      logger,
      observer: relayMetrics(metrics),
    },
    {
      batch: { rows: settings.batchRows, bytes: settings.batchBytes },
      pollMs: settings.pollMs,
      patienceMs: settings.patienceMs,
    },
  );
  const watch = new OutboxWatch(openSession, clock, metrics);
  health.addReadiness('outbox', relay.check);
  health.addReadiness('database', watch.check);
  return {
    start: () => {
      relay.start();
      watch.start();
    },
    stop: async () => {
      await Promise.all([relay.stop(drainMs), watch.stop()]);
    },
  };
}
