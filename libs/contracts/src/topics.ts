/** The groups of the delivery workers: everything below what they commit has ended, or was handed over. */
export const EVENTS_GROUP = 'hookline.delivery.events';
export const LANES_GROUP = 'hookline.delivery.lanes';

/**
 * The topics, in one place: their names, how they are partitioned and how long they are kept.
 * The prefix is fixed: two Hooklines on one Kafka are two Kafkas.
 */
export const TOPICS = {
  /** The accepted events; the log that a replay reads. */
  events: 'hookline.events',
  /** Work handed over to the owner of its subscription. */
  deliveries: 'hookline.deliveries',
  /** Work asked for by a replay; served after live work. */
  replays: 'hookline.deliveries.replay',
  /** The outcome of each attempt and routing decision, on its way to the recorder. */
  attempts: 'hookline.attempts',
  /** Deliveries that ran out of time or were refused for good. */
  deadLetters: 'hookline.dead-letters',
  /** Compacted: what delivery needs to know of each subscription. */
  subscriptions: 'hookline.subscriptions',
  /** Compacted: what ingest needs to know of each key. */
  credentials: 'hookline.credentials',
  /** Compacted: what the workers tell each other: which endpoints are broken; and what the time is. */
  progress: 'hookline.progress',
} as const;

const RETRY_PREFIX = 'hookline.retry.';

/** The constant-delay topic for a delay in milliseconds, e.g. 120000 → `hookline.retry.2m`. */
export function retryTopic(delayMs: number): string {
  return RETRY_PREFIX + formatDelay(delayMs);
}

/** The delay in milliseconds of a retry topic; undefined for any other topic. */
export function retryDelayOf(topic: string): number | undefined {
  return topic.startsWith(RETRY_PREFIX) ? parseDelay(topic.slice(RETRY_PREFIX.length)) : undefined;
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
];

/** The largest whole unit that expresses the delay exactly: 90000 → `90s`. */
export function formatDelay(ms: number): string {
  for (const [unit, size] of UNITS) if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  return `${ms}ms`;
}

/** The inverse of {@link formatDelay}; undefined if the text is no delay. */
export function parseDelay(text: string): number | undefined {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  if (!match) return undefined;
  const unit = UNITS.find(([name]) => name === match[2]);
  return unit && Number(match[1]) * unit[1];
}
