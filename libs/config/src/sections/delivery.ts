import { section } from '../load.js';
import { count, duration, durations, list } from '../setting.js';

export interface DeliveryConfig {
  attemptTimeoutMs: number;
  connectTimeoutMs: number;
  retryDelaysMs: number[];
  retryJitterPercent: number;
  windowMs: number;
  allowCidrs: string[];
  endpointConcurrency: number;
  workerConcurrency: number;
  responseBodyBytes: number;
  commitIntervalMs: number;
  idempotencyWindowMs: number;
  idempotencyMaxIds: number;
  viewStaleMs: number;
}

export const deliverySection = section<DeliveryConfig>('Delivery', {
  attemptTimeoutMs: duration('HOOKLINE_ATTEMPT_TIMEOUT', 'How long one attempt may take.', { default: '15s' }),
  connectTimeoutMs: duration('HOOKLINE_CONNECT_TIMEOUT', 'How long connecting to an endpoint may take.', {
    default: '5s',
  }),
  retryDelaysMs: durations('HOOKLINE_RETRY_DELAYS', 'The delay before each retry; the last one repeats.', {
    default: '5s,30s,2m,10m,30m,1h,2h,4h',
  }),
  retryJitterPercent: count('HOOKLINE_RETRY_JITTER_PERCENT', 'A retry is late by up to this part of its delay.', {
    default: 3,
    max: 100,
  }),
  windowMs: duration('HOOKLINE_DELIVERY_WINDOW', 'How long a delivery is tried before it is dead-lettered.', {
    default: '24h',
  }),
  allowCidrs: list('HOOKLINE_ALLOW_CIDRS', 'Private networks that endpoints may be in, e.g. 127.0.0.0/8.', {
    default: '',
  }),
  endpointConcurrency: count(
    'HOOKLINE_ENDPOINT_CONCURRENCY',
    'Attempts in flight to one subscription, for each worker.',
    {
      default: 64,
      min: 1,
      max: 10_000,
    },
  ),
  workerConcurrency: count('HOOKLINE_WORKER_CONCURRENCY', 'Attempts in flight in one worker.', {
    default: 1_024,
    min: 1,
    max: 100_000,
  }),
  responseBodyBytes: count('HOOKLINE_RESPONSE_BODY_BYTES', "Bytes of an endpoint's answer that are kept.", {
    default: 1_024,
    max: 16_384,
  }),
  commitIntervalMs: duration('HOOKLINE_COMMIT_INTERVAL', 'How often progress is committed.', { default: '250ms' }),
  idempotencyWindowMs: duration('HOOKLINE_IDEMPOTENCY_WINDOW', 'For how long a repeated event id makes no delivery.', {
    default: '10m',
  }),
  idempotencyMaxIds: count('HOOKLINE_IDEMPOTENCY_MAX_IDS', 'Ids remembered for each partition of events at most.', {
    default: 500_000,
    min: 1_000,
    max: 50_000_000,
  }),
  viewStaleMs: duration('HOOKLINE_VIEW_STALE', 'Intake pauses when the view of the subscriptions is older than this.', {
    default: '10s',
  }),
});
