import { section } from '../load.js';
import { count, duration } from '../setting.js';

export interface RecorderConfig {
  batchRows: number;
  batchBytes: number;
  lingerMs: number;
  flushTimeoutMs: number;
  maxBufferedRecords: number;
  historyRetentionMs: number;
}

export const recorderSection = section<RecorderConfig>('Recorder', {
  batchRows: count('HOOKLINE_RECORDER_BATCH_ROWS', 'Records written in one transaction at most.', {
    default: 5_000,
    min: 1,
    max: 100_000,
  }),
  batchBytes: count('HOOKLINE_RECORDER_BATCH_BYTES', 'Bytes written in one transaction at most, but for one record.', {
    default: 8_388_608,
    min: 1,
    max: 268_435_456,
  }),
  lingerMs: duration('HOOKLINE_RECORDER_LINGER', 'How long a record waits for others, to be written with them.', {
    default: '100ms',
  }),
  flushTimeoutMs: duration(
    'HOOKLINE_RECORDER_FLUSH_TIMEOUT',
    'A transaction that takes longer is given up and repeated.',
    {
      default: '60s',
    },
  ),
  maxBufferedRecords: count('HOOKLINE_RECORDER_BUFFER_RECORDS', 'Records waiting for PostgreSQL at most.', {
    default: 30_000,
    min: 100,
    max: 1_000_000,
  }),
  historyRetentionMs: duration('HOOKLINE_HISTORY_RETENTION', 'How long history is kept; whole UTC days are dropped.', {
    default: '30d',
  }),
});
