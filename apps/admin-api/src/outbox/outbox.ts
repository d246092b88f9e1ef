import { TOPICS } from '@hookline/contracts';
import type { Output, RangeReader } from '@hookline/kafka';
import type { Session } from '@hookline/persistence';
import type { Clock, Logger, Metrics } from '@hookline/platform';
import type { Database } from '../database/database.js';
import type { Settings } from '../settings.js';
import type { LogOffsets } from '../topics/log-offsets.js';
import { CompactedTail } from './compacted-tail.js';
import { CurrentRecords } from './current-records.js';
import { outboxMetrics } from './outbox-metrics.js';
import { OutboxPublisher } from './outbox-publisher.js';

export interface OutboxParts {
  database: Database;
  openSession: () => Promise<Session>;
  log: LogOffsets;
  reader: RangeReader;
  output: Output;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

/** The publisher of the outbox, put together. */
export function outboxOf(
  { database, openSession, log, reader, output, clock, logger, metrics }: OutboxParts,
  admin: Settings['admin'],
): OutboxPublisher {
  return new OutboxPublisher(
    {
      openSession,
      current: new CurrentRecords(database),
      openTails: () =>
        [TOPICS.credentials, TOPICS.subscriptions].map((topic) => new CompactedTail(topic, log, reader, logger)),
      offsets: log,
      output,
      clock,
      logger,
      observer: outboxMetrics(metrics),
    },
    { pollMs: admin.outboxPollMs, watchMs: admin.topicWatchMs, batch: admin.outboxBatch },
  );
}
