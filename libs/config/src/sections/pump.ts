import { section } from '../load.js';
import { count, duration } from '../setting.js';

/** How records are gathered on their way into Kafka. */
export interface PumpConfig {
  maxFlushRecords: number;
  maxFlushBytes: number;
  maxRecordBytes: number;
  patienceMs: number;
  roundIntervalMs: number;
  layoutRefreshMs: number;
}

export const pumpSection = section<PumpConfig>('Writing to Kafka', {
  maxFlushRecords: count('HOOKLINE_FLUSH_MAX_RECORDS', 'Records in one send to a broker at most.', {
    default: 1_000,
    min: 1,
    max: 100_000,
  }),
  maxFlushBytes: count(
    'HOOKLINE_FLUSH_MAX_BYTES',
    "Bytes in one send to a broker at most; keep it well below the topics' max.message.bytes.",
    { default: 524_288, min: 1_024, max: 67_108_864 },
  ),
  maxRecordBytes: count('HOOKLINE_RECORD_MAX_BYTES', 'Bytes of one record at most; a larger one is refused unsent.', {
    default: 1_000_000,
    min: 1_024,
    max: 67_108_864,
  }),
  patienceMs: duration(
    'HOOKLINE_FLUSH_PATIENCE',
    'How long a flush of records without a key may be out before the next one goes to another broker.',
    { default: '500ms' },
  ),
  roundIntervalMs: duration(
    'HOOKLINE_FLUSH_INTERVAL',
    'From one round of sends to the next at least, where the former had 8 records or more: what comes meanwhile shares a send; with less load, or `0ms`, nothing waits.',
    { default: '10ms' },
  ),
  layoutRefreshMs: duration('HOOKLINE_LEADERS_REFRESH', 'How often the leaders of partitions are looked up.', {
    default: '30s',
  }),
});
