import { section } from '../load.js';
import { count, duration } from '../setting.js';

/** The pull stream: how much a poll may take, how long it may wait, and how many may wait. */
export interface StreamConfig {
  pollMs: number;
  maxWaitMs: number;
  waiting: number;
  tenantWaiting: number;
  maxLimit: number;
  pageBytes: number;
  scan: number;
}

export const streamSection = section<StreamConfig>('Pull stream', {
  pollMs: duration(
    'HOOKLINE_STREAM_POLL',
    'How often it is looked for new events on behalf of all clients of a process that wait for some.',
    { default: '250ms' },
  ),
  maxWaitMs: duration('HOOKLINE_STREAM_MAX_WAIT', 'How long a poll may ask to wait for events at most.', {
    default: '30s',
  }),
  waiting: count('HOOKLINE_STREAM_WAITING', 'Polls that may wait in one process at a time.', {
    default: 1_000,
    min: 1,
    max: 100_000,
  }),
  tenantWaiting: count(
    'HOOKLINE_STREAM_TENANT_WAITING',
    'Polls of one tenant that may wait in one process at a time.',
    {
      default: 50,
      min: 1,
      max: 100_000,
    },
  ),
  maxLimit: count('HOOKLINE_STREAM_MAX_EVENTS', 'Events that a poll may ask for at most.', {
    default: 1_000,
    min: 1,
    max: 10_000,
  }),
  pageBytes: count(
    'HOOKLINE_STREAM_PAGE_BYTES',
    'Bytes of data that a poll is answered with at most, but for one event.',
    {
      default: 4_194_304,
      min: 1_024,
      max: 67_108_864,
    },
  ),
  scan: count(
    'HOOKLINE_STREAM_SCAN',
    'Offsets that a poll looks over at most, over all partitions; those of other tenants and types count too.',
    { default: 20_000, min: 100, max: 1_000_000 },
  ),
});
