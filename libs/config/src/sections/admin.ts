import { section } from '../load.js';
import { count, duration, flag } from '../setting.js';

/** Management: its limits, and how it talks to PostgreSQL and Kafka. */
export interface AdminConfig {
  requestTimeoutMs: number;
  httpsOnly: boolean;
  maxUrlLength: number;
  maxTypes: number;
  maxHeaders: number;
  maxHeaderBytes: number;
  maxRatePerSecond: number;
  maxRateBurst: number;
  maxSubscriptionInFlight: number;
  maxSubscriptions: number;
  maxKeys: number;
  outboxPollMs: number;
  topicWatchMs: number;
  outboxBatch: number;
  maxOpenReplays: number;
  replayConcurrency: number;
  replayPollMs: number;
  replayDecisionWaitMs: number;
  replayInFlightBytes: number;
  keeperPollMs: number;
  knownMarginMs: number;
  sliceBatch: number;
  sliceEvents: number;
  deadLettersAtOnce: number;
  searchRangeMs: number;
  searchRows: number;
}

export const adminSection = section<AdminConfig>('Management', {
  requestTimeoutMs: duration(
    'HOOKLINE_ADMIN_TIMEOUT',
    'How long a request waits for PostgreSQL or Kafka before it answers 503.',
    { default: '5s' },
  ),
  httpsOnly: flag('HOOKLINE_HTTPS_ONLY', 'Refuse endpoints without TLS.', { default: false }),
  maxUrlLength: count('HOOKLINE_MAX_URL_LENGTH', "Characters of an endpoint's URL at most.", {
    default: 2_048,
    min: 16,
    max: 8_192,
  }),
  maxTypes: count('HOOKLINE_MAX_SUBSCRIPTION_TYPES', 'Event types and patterns of one subscription at most.', {
    default: 100,
    min: 1,
    max: 1_000,
  }),
  maxHeaders: count('HOOKLINE_MAX_SUBSCRIPTION_HEADERS', 'Static headers of one subscription at most.', {
    default: 20,
    max: 100,
  }),
  maxHeaderBytes: count('HOOKLINE_MAX_SUBSCRIPTION_HEADER_BYTES', 'Bytes of all static headers together at most.', {
    default: 4_096,
    max: 16_384,
  }),
  maxRatePerSecond: count('HOOKLINE_MAX_SUBSCRIPTION_RATE', 'Attempts a second that a rate limit may allow at most.', {
    default: 10_000,
    min: 1,
    max: 1_000_000,
  }),
  maxRateBurst: count('HOOKLINE_MAX_SUBSCRIPTION_BURST', 'Attempts at once that a rate limit may allow at most.', {
    default: 10_000,
    min: 1,
    max: 1_000_000,
  }),
  maxSubscriptionInFlight: count(
    'HOOKLINE_MAX_SUBSCRIPTION_IN_FLIGHT',
    'Attempts in flight that a subscription may ask for at most.',
    {
      default: 1_000,
      min: 1,
      max: 100_000,
    },
  ),
  maxSubscriptions: count('HOOKLINE_MAX_SUBSCRIPTIONS', 'Subscriptions of one tenant at most.', {
    default: 1_000,
    min: 1,
    max: 100_000,
  }),
  maxKeys: count('HOOKLINE_MAX_KEYS', 'Active API keys of one tenant at most.', { default: 100, min: 1, max: 10_000 }),
  outboxPollMs: duration(
    'HOOKLINE_OUTBOX_POLL',
    'How often the outbox is looked at, besides when PostgreSQL tells of a change.',
    { default: '2s' },
  ),
  topicWatchMs: duration(
    'HOOKLINE_TOPIC_WATCH',
    'How often the compacted topics are looked at, for records that are older than their rows.',
    { default: '10s' },
  ),
  outboxBatch: count('HOOKLINE_OUTBOX_BATCH', 'Changes that are published at a time at most.', {
    default: 500,
    min: 1,
    max: 10_000,
  }),
  maxOpenReplays: count('HOOKLINE_MAX_OPEN_REPLAYS', 'Unfinished replays of one tenant at most.', {
    default: 10,
    min: 1,
    max: 1_000,
  }),
  replayConcurrency: count('HOOKLINE_REPLAY_CONCURRENCY', 'Replays that one admin-api process runs at a time.', {
    default: 2,
    min: 1,
    max: 64,
  }),
  replayPollMs: duration('HOOKLINE_REPLAY_POLL', 'How often unfinished replays are looked for.', { default: '1s' }),
  replayDecisionWaitMs: duration(
    'HOOKLINE_REPLAY_DECISION_WAIT',
    'How long a replay waits, without progress, to learn from the history whether events are duplicates.',
    { default: '1m' },
  ),
  replayInFlightBytes: count('HOOKLINE_REPLAY_BUFFER_BYTES', 'Bytes of a replay waiting for Kafka at most.', {
    default: 8_388_608,
    min: 1_048_576,
    max: 67_108_864,
  }),
  keeperPollMs: duration(
    'HOOKLINE_KEEPER_POLL',
    'How often it is looked for what is held and lost, and for what late learners of a version have left out.',
    { default: '1s' },
  ),
  knownMarginMs: duration(
    'HOOKLINE_KNOWN_MARGIN',
    "How long after HOOKLINE_VIEW_STALE a change counts as known to every worker: room for the brokers' clocks.",
    { default: '2s' },
  ),
  sliceBatch: count('HOOKLINE_SLICE_BATCH', 'Changes whose late learners are made up for in one reading at most.', {
    default: 1_000,
    min: 1,
    max: 100_000,
  }),
  sliceEvents: count('HOOKLINE_SLICE_EVENTS', 'Events that are read for late learners before others have their turn.', {
    default: 50_000,
    min: 1,
    max: 10_000_000,
  }),
  deadLettersAtOnce: count(
    'HOOKLINE_DEAD_LETTERS_AT_ONCE',
    'Dead letters that one request redrives or discards at most; the same request again goes on.',
    { default: 50_000, min: 1, max: 1_000_000 },
  ),
  searchRangeMs: duration(
    'HOOKLINE_SEARCH_RANGE',
    'How far back a list of events, deliveries or attempts goes where the request does not say it.',
    { default: '24h' },
  ),
  searchRows: count(
    'HOOKLINE_SEARCH_ROWS',
    'Events, or for attempts deliveries, that one page of a search looks through at most.',
    {
      default: 100_000,
      min: 1_000,
      max: 10_000_000,
    },
  ),
});
