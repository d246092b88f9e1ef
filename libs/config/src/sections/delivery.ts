import { section } from '../load.js';
import { count, duration, durations, list } from '../setting.js';

export interface DeliveryConfig {
  attemptTimeoutMs: number;
  connectTimeoutMs: number;
  firstByteTimeoutMs: number;
  retryDelaysMs: number[];
  retryJitterPercent: number;
  windowMs: number;
  allowCidrs: string[];
  endpointConcurrency: number;
  workerConcurrency: number;
  directWaitMs: number;
  endpointQueue: number;
  startConcurrency: number;
  slowAttemptMs: number;
  slowConcurrency: number;
  breakerFailures: number;
  breakerPercent: number;
  breakerSample: number;
  breakerOpenMs: number;
  breakerOpenMostMs: number;
  retryAfterMostMs: number;
  directFanOut: number;
  liveWeight: number;
  retryWeight: number;
  replayWeight: number;
  tenantQuantumBytes: number;
  heldEvents: number;
  laneHeldRecords: number;
  laneHeldBytes: number;
  orderedOutstanding: number;
  orderedRemembered: number;
  maxBufferedBytes: number;
  keepAliveMs: number;
  maxOrigins: number;
  idleConnections: number;
  responseBodyBytes: number;
  responseReadBytes: number;
  commitIntervalMs: number;
  outcomeIntervalMs: number;
  idempotencyWindowMs: number;
  idempotencyMaxIds: number;
  viewStaleMs: number;
  subscriptionBacklog: number;
  breakerWordMs: number;
  responseHeaderBytes: number;
}

export const deliverySection = section<DeliveryConfig>('Delivery', {
  attemptTimeoutMs: duration('HOOKLINE_ATTEMPT_TIMEOUT', 'How long one attempt may take.', { default: '15s' }),
  connectTimeoutMs: duration('HOOKLINE_CONNECT_TIMEOUT', 'How long connecting to an endpoint may take.', {
    default: '5s',
  }),
  firstByteTimeoutMs: duration(
    'HOOKLINE_FIRST_BYTE_TIMEOUT',
    'How long an endpoint may take to begin its answer, once it is connected.',
    { default: '15s' },
  ),
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
    'Attempts in flight to one subscription, over all workers.',
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
  directWaitMs: duration(
    'HOOKLINE_DIRECT_WAIT',
    'How long an event waits for room at its endpoint before it is handed to the lane.',
    {
      default: '5s',
    },
  ),
  endpointQueue: count(
    'HOOKLINE_ENDPOINT_QUEUE',
    'Deliveries that wait for room at one subscription, for each worker, at most.',
    {
      default: 5_000,
      max: 100_000,
    },
  ),
  startConcurrency: count(
    'HOOKLINE_ENDPOINT_START_CONCURRENCY',
    'Attempts in flight with which a subscription begins; more as they succeed, fewer as they fail.',
    { default: 4, min: 1, max: 10_000 },
  ),
  slowAttemptMs: duration(
    'HOOKLINE_SLOW_ATTEMPT',
    'An attempt that takes longer no longer counts among those in flight in the worker, and its endpoint gets less.',
    { default: '2s' },
  ),
  slowConcurrency: count('HOOKLINE_SLOW_CONCURRENCY', 'Such slow attempts in one worker, besides the others.', {
    default: 8_192,
    max: 100_000,
  }),
  breakerFailures: count('HOOKLINE_BREAKER_FAILURES', 'Failures in a row after which a subscription is left alone.', {
    default: 10,
    min: 1,
  }),
  breakerPercent: count('HOOKLINE_BREAKER_PERCENT', 'Failed attempts of a sample after which it is left alone, in %.', {
    default: 60,
    min: 1,
    max: 100,
  }),
  breakerSample: count('HOOKLINE_BREAKER_SAMPLE', 'The latest attempts that make up this sample.', {
    default: 50,
    min: 2,
    max: 10_000,
  }),
  breakerOpenMs: duration(
    'HOOKLINE_BREAKER_OPEN',
    'How long it is left alone before one attempt is made to see; twice as long after each that fails.',
    { default: '5s' },
  ),
  breakerOpenMostMs: duration('HOOKLINE_BREAKER_OPEN_MOST', 'The longest that it is left alone.', { default: '2m' }),
  retryAfterMostMs: duration('HOOKLINE_RETRY_AFTER_MOST', 'The longest Retry-After of an endpoint that is honoured.', {
    default: '1h',
  }),
  directFanOut: count(
    'HOOKLINE_DIRECT_FAN_OUT',
    'An event that matches more subscriptions is handed to their owners, many in a record.',
    { default: 64, min: 1, max: 10_000 },
  ),
  liveWeight: count('HOOKLINE_WEIGHT_LIVE', 'Turns of live work, where it, retries and replays wait.', {
    default: 16,
    min: 1,
    max: 1_000,
  }),
  retryWeight: count('HOOKLINE_WEIGHT_RETRY', 'Turns of retries that are due.', { default: 4, min: 1, max: 1_000 }),
  replayWeight: count('HOOKLINE_WEIGHT_REPLAY', 'Turns of replays.', { default: 1, min: 1, max: 1_000 }),
  tenantQuantumBytes: count(
    'HOOKLINE_TENANT_QUANTUM_BYTES',
    'Bytes that a tenant may send in its turn, where tenants wait for the same worker.',
    { default: 4_096, min: 1_024 },
  ),
  heldEvents: count('HOOKLINE_HELD_EVENTS', 'Events that a worker holds at most before it reads on.', {
    default: 2_000,
    min: 1,
  }),
  laneHeldRecords: count(
    'HOOKLINE_LANE_HELD_RECORDS',
    'Records that a worker holds for each partition of a lane at most.',
    {
      default: 2_000,
      min: 1,
    },
  ),
  laneHeldBytes: count('HOOKLINE_LANE_HELD_BYTES', 'Bytes that a worker holds for each partition of a lane at most.', {
    default: 2_097_152,
    min: 1,
  }),
  orderedOutstanding: count(
    'HOOKLINE_ORDERED_OUTSTANDING',
    'Events of ordered subscriptions that are not through, for each lane partition at most; beyond, they wait unread.',
    {
      default: 100_000,
      min: 1,
    },
  ),
  orderedRemembered: count(
    'HOOKLINE_ORDERED_REMEMBERED',
    'Events of ordered subscriptions that are through, remembered for each lane partition to know copies by.',
    {
      default: 5_000,
      max: 1_000_000,
    },
  ),
  maxBufferedBytes: count(
    'HOOKLINE_DELIVERY_BUFFER_BYTES',
    'Bytes of outcomes and of work handed over that wait for Kafka at most.',
    {
      default: 67_108_864,
      min: 1_048_576,
    },
  ),
  keepAliveMs: duration('HOOKLINE_KEEP_ALIVE', 'How long a connection to an endpoint is kept without a request.', {
    default: '4s',
  }),
  maxOrigins: count('HOOKLINE_MAX_ORIGINS', 'Origins whose connections a worker keeps at most.', {
    default: 1_000,
    min: 1,
  }),
  idleConnections: count(
    'HOOKLINE_IDLE_CONNECTIONS',
    'Connections kept without a request, over all origins, at most.',
    {
      default: 1_000,
      min: 1,
      max: 100_000,
    },
  ),
  responseBodyBytes: count('HOOKLINE_RESPONSE_BODY_BYTES', "Bytes of an endpoint's answer that are kept.", {
    default: 16_384,
    max: 16_384,
  }),
  responseReadBytes: count(
    'HOOKLINE_RESPONSE_READ_BYTES',
    "Bytes of an endpoint's answer that are read before the connection is given up.",
    {
      default: 65_536,
      max: 16_777_216,
    },
  ),
  outcomeIntervalMs: duration(
    'HOOKLINE_OUTCOME_INTERVAL',
    'Outcomes, retries, dead letters and what finds no room here are gathered for so long and written together: history and progress are late by it.',
    { default: '40ms', max: '1s' },
  ),
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
  subscriptionBacklog: count(
    'HOOKLINE_SUBSCRIPTION_BACKLOG',
    'Deliveries that may wait for one subscription; beyond, its events are held in the log until half of these are through.',
    { default: 10_000, min: 2, max: 10_000_000 },
  ),
  breakerWordMs: duration(
    'HOOKLINE_BREAKER_WORD',
    "How long an owner's word counts that an endpoint is broken; while that fails it is repeated after half of it, so it should be several times HOOKLINE_BREAKER_OPEN_MOST.",
    { default: '1h' },
  ),
  responseHeaderBytes: count(
    'HOOKLINE_RESPONSE_HEADER_BYTES',
    "Bytes of the headers of an endpoint's answer that are kept of one that is no success, of 16 headers at most; 0: none.",
    { default: 2_048, max: 16_384 },
  ),
});
