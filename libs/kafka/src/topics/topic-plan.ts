import type { TopicsConfig } from '@hookline/config';
import { retryTopic, TOPICS } from '@hookline/contracts';
import type { TopicSpec } from './topic-spec.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Attempts are kept for as long as the recorder may be away; lanes for as long as a worker may. */
const ATTEMPTS_RETENTION_MS = 7 * DAY_MS;
const LANES_RETENTION_MS = 7 * DAY_MS;

/** The broker's own default: a flush stays far below it, and a delivery with its history fits. */
const MAX_MESSAGE_BYTES = 1_048_588;

/**
 * Every topic of Hookline as it should be.
 * @param retryDelaysMs the tiers that are written; ms. The same delay twice is one topic.
 * @param retryWindowMs for how long a delivery is tried; the lanes that it may wait in must keep it for that time
 */
export function topicPlan(topics: TopicsConfig, retryDelaysMs: readonly number[], retryWindowMs?: number): TopicSpec[] {
  const { eventPartitions, lanePartitions, attemptPartitions } = topics;
  const copies = { replicationFactor: topics.replicationFactor };
  const kept = (retentionMs: number) => ({ ...common(topics), ...deletedAfter(retentionMs) });
  const log = (name: string, partitions: number, retentionMs: number): TopicSpec => ({
    name,
    kind: 'log',
    partitions,
    ...copies,
    configs: kept(retentionMs),
  });
  const lane = (name: string, retentionMs: number): TopicSpec => ({
    name,
    kind: 'lane',
    partitions: lanePartitions,
    ...copies,
    configs: kept(retentionMs),
  });
  const compacted = (name: string): TopicSpec => ({
    name,
    kind: 'compacted',
    partitions: 1,
    ...copies,
    configs: { ...common(topics), ...COMPACTED },
  });
  const needed = retryWindowMs === undefined ? {} : { neededMs: retryWindowMs };
  return [
    log(TOPICS.events, eventPartitions, topics.eventsRetentionMs),
    { ...lane(TOPICS.deliveries, LANES_RETENTION_MS), ...needed },
    { ...lane(TOPICS.replays, LANES_RETENTION_MS), ...needed },
    ...[...new Set(retryDelaysMs)].map((delayMs) => ({
      ...lane(retryTopic(delayMs), topics.retryRetentionMs),
      delayMs,
    })),
    log(TOPICS.attempts, attemptPartitions, ATTEMPTS_RETENTION_MS),
    log(TOPICS.deadLetters, attemptPartitions, topics.deadLettersRetentionMs),
    compacted(TOPICS.subscriptions),
    compacted(TOPICS.credentials),
    compacted(TOPICS.progress),
  ];
}

/** `LogAppendTime`: due times and retention go by the brokers' clocks, never by what a producer claims. */
function common(topics: TopicsConfig): Record<string, string> {
  return {
    'min.insync.replicas': String(topics.minInsyncReplicas),
    'message.timestamp.type': 'LogAppendTime',
    'unclean.leader.election.enable': 'false',
    'compression.type': 'producer',
    'max.message.bytes': String(MAX_MESSAGE_BYTES),
  };
}

/** Only closed segments are deleted: without `segment.ms` a trickle of records keeps old ones for a week. */
function deletedAfter(retentionMs: number): Record<string, string> {
  const segmentMs = Math.min(Math.max(Math.round(retentionMs / 24), MINUTE_MS), DAY_MS);
  return { 'cleanup.policy': 'delete', 'retention.ms': String(retentionMs), 'segment.ms': String(segmentMs) };
}

/** Closed segments only are compacted, too; a reader starts with at most about an hour of old versions. */
const COMPACTED: Readonly<Record<string, string>> = {
  'cleanup.policy': 'compact',
  'segment.ms': String(HOUR_MS),
  'min.cleanable.dirty.ratio': '0.1',
};
