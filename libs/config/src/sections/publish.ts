import { section } from '../load.js';
import { count, duration } from '../setting.js';

/** What ingest accepts, and for how long it waits. */
export interface PublishConfig {
  maxEventBytes: number;
  maxBatchBytes: number;
  maxBatchEvents: number;
  maxIdLength: number;
  maxTypeLength: number;
  maxKeyLength: number;
  deadlineMs: number;
  maxBufferedBytes: number;
}

export const publishSection = section<PublishConfig>('Publishing', {
  maxEventBytes: count('HOOKLINE_MAX_EVENT_BYTES', "Bytes of one event's data at most.", {
    default: 262_144,
    min: 1,
    max: 524_288,
  }),
  maxBatchBytes: count('HOOKLINE_MAX_BATCH_BYTES', 'Bytes of a batch request at most.', {
    default: 5_242_880,
    min: 1,
    max: 104_857_600,
  }),
  maxBatchEvents: count('HOOKLINE_MAX_BATCH_EVENTS', 'Events in a batch at most.', {
    default: 1_000,
    min: 1,
    max: 10_000,
  }),
  maxIdLength: count('HOOKLINE_MAX_ID_LENGTH', 'Characters of an event id at most.', {
    default: 128,
    min: 1,
    max: 1_024,
  }),
  maxTypeLength: count('HOOKLINE_MAX_TYPE_LENGTH', 'Characters of an event type at most.', {
    default: 128,
    min: 1,
    max: 1_024,
  }),
  maxKeyLength: count('HOOKLINE_MAX_KEY_LENGTH', 'Characters of an ordering key at most.', {
    default: 256,
    min: 1,
    max: 1_024,
  }),
  deadlineMs: duration('HOOKLINE_PUBLISH_DEADLINE', 'How long a publish waits for all copies before it answers 503.', {
    default: '10s',
  }),
  maxBufferedBytes: count('HOOKLINE_PUBLISH_BUFFER_BYTES', 'Bytes waiting for Kafka at most; beyond, 503.', {
    default: 67_108_864,
    min: 1_048_576,
  }),
});
