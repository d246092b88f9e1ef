import { DeadLetterHistory, DeadLetterRecords } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import type { Database } from '../database/database.js';
import type { Settings } from '../settings.js';
import type { LogOffsets } from '../topics/log-offsets.js';
import { DeadLetterChanging } from './dead-letter-changing.js';
import { DeadLettersService } from './dead-letters.service.js';
import { RecordDiscarding } from './record-discarding.js';

/** What shows dead letters and what is done with them, put together. */
export function deadLettersOf(
  { database, log, clock }: { database: Database; log: LogOffsets; clock: Clock },
  { admin, topics }: Pick<Settings, 'admin' | 'topics'>,
): { deadLetters: DeadLettersService; changing: DeadLetterChanging; discarding: RecordDiscarding } {
  const keptMs = topics.deadLettersRetentionMs;
  return {
    deadLetters: new DeadLettersService(
      new DeadLetterHistory(database),
      new DeadLetterRecords(database),
      clock,
      keptMs,
    ),
    changing: new DeadLetterChanging(database, log, clock, {
      atOnce: admin.deadLettersAtOnce,
      maxOpenReplays: admin.maxOpenReplays,
      keptMs,
    }),
    discarding: new RecordDiscarding(database, clock, { atOnce: admin.deadLettersAtOnce, keptMs }),
  };
}
