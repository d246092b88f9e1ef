import { section } from '../load.js';
import { count, duration } from '../setting.js';

/** How records are read from Kafka, and how much of them is held. */
export interface ConsumerConfig {
  sessionTimeoutMs: number;
  heartbeatIntervalMs: number;
  rebalanceTimeoutMs: number;
  maxWaitMs: number;
  maxBytesPerPartition: number;
  highWaterRecords: number;
  highWaterBytes: number;
  watchdogMs: number;
  stallMs: number;
  witnessIntervalMs: number;
}

export const consumerSection = section<ConsumerConfig>('Reading from Kafka', {
  sessionTimeoutMs: duration(
    'HOOKLINE_SESSION_TIMEOUT',
    'After so long without a heartbeat the group gives the partitions to others.',
    { default: '15s' },
  ),
  heartbeatIntervalMs: duration(
    'HOOKLINE_HEARTBEAT_INTERVAL',
    'The pause between heartbeats, at most a third of that.',
    {
      default: '1s',
    },
  ),
  rebalanceTimeoutMs: duration(
    'HOOKLINE_REBALANCE_TIMEOUT',
    'How long the group waits for a member to join again; at least the session timeout.',
    { default: '30s' },
  ),
  maxWaitMs: duration('HOOKLINE_FETCH_MAX_WAIT', 'How long a fetch waits for something to read.', { default: '250ms' }),
  maxBytesPerPartition: count('HOOKLINE_FETCH_PARTITION_BYTES', 'Bytes of one partition in a fetch at most.', {
    default: 1_048_576,
    min: 1_024,
    max: 67_108_864,
  }),
  highWaterRecords: count(
    'HOOKLINE_HIGH_WATER_RECORDS',
    'A partition with so many records in flight is paused until half of them are done.',
    { default: 5_000, min: 1, max: 1_000_000 },
  ),
  highWaterBytes: count(
    'HOOKLINE_HIGH_WATER_BYTES',
    'The same in bytes; in memory it may be above this by one fetch.',
    { default: 16_777_216, min: 1_024 },
  ),
  watchdogMs: duration('HOOKLINE_CONSUMER_WATCHDOG', 'After so long without a heartbeat the consumer is made anew.', {
    default: '25s',
  }),
  stallMs: duration('HOOKLINE_CONSUMER_STALL', 'With work and no progress for so long, liveness fails.', {
    default: '60s',
  }),
  witnessIntervalMs: duration(
    'HOOKLINE_WATERMARK_INTERVAL',
    'How often delivery workers write to hookline.progress how far they have come, so that an age-out is seen.',
    { default: '30s' },
  ),
});
