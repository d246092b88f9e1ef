import { section } from '../load.js';
import { count, duration } from '../setting.js';

export interface RecorderConfig {
  batchRows: number;
  batchBytes: number;
  lingerMs: number;
  fetchBytes: number;
  fetchWaitMs: number;
  commitIntervalMs: number;
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
  fetchBytes: count('HOOKLINE_RECORDER_FETCH_BYTES', 'A broker is asked to answer once it has so many bytes.', {
    default: 1_048_576,
    min: 1,
    max: 16_777_216,
  }),
  fetchWaitMs: duration('HOOKLINE_RECORDER_FETCH_WAIT', 'How long it may wait for them: history is late by this.', {
    default: '500ms',
  }),
  commitIntervalMs: duration(
    'HOOKLINE_RECORDER_COMMIT_INTERVAL',
    'How often Kafka is told how far the recorder is; only for those who watch its lag, for its own offsets are in PostgreSQL.',
    { default: '5s' },
  ),
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
