import { section } from '../load.js';
import { choice, count, duration, list, optionalText } from '../setting.js';

/** Whether the brokers lead equal parts of each topic, or one of them leads everything while it is up. */
export type LeaderPlacement = 'spread' | 'together';

/** How the topics are made, and what is checked when they are there already. */
export interface TopicsConfig {
  replicationFactor: number;
  minInsyncReplicas: number;
  eventPartitions: number;
  lanePartitions: number;
  attemptPartitions: number;
  leaders: LeaderPlacement;
  eventsRetentionMs: number;
  retryRetentionMs: number;
  deadLettersRetentionMs: number;
  /** Risks that are known and taken: `<topic>/<what differs>`, or `<what differs>` for every topic. */
  acceptedRisks: string[];
  /** The id of the one cluster that is meant; any, if absent. */
  clusterId: string | undefined;
}

export const topicsSection = section<TopicsConfig>('Topics', {
  replicationFactor: count('HOOKLINE_REPLICATION_FACTOR', 'Copies of each topic.', { default: 3, min: 1, max: 9 }),
  minInsyncReplicas: count('HOOKLINE_MIN_INSYNC_REPLICAS', 'Copies that must have a record before it counts.', {
    default: 2,
    min: 1,
    max: 9,
  }),
  eventPartitions: count('HOOKLINE_EVENT_PARTITIONS', 'Partitions of hookline.events when it is made.', {
    default: 12,
    min: 1,
    max: 1000,
  }),
  lanePartitions: count(
    'HOOKLINE_LANE_PARTITIONS',
    'Partitions of deliveries, replays and each retry topic; frozen once they are made.',
    { default: 32, min: 1, max: 1000 },
  ),
  attemptPartitions: count(
    'HOOKLINE_ATTEMPT_PARTITIONS',
    'Partitions of hookline.attempts and hookline.dead-letters when they are made.',
    { default: 6, min: 1, max: 1000 },
  ),
  leaders: choice(
    'HOOKLINE_TOPIC_LEADERS',
    'Who leads the topics that are made: every broker its part, or one broker all, which costs less where all share a machine.',
    ['spread', 'together'],
    { default: 'spread' },
  ),
  eventsRetentionMs: duration('HOOKLINE_EVENTS_RETENTION', 'How long events can be replayed.', { default: '7d' }),
  retryRetentionMs: duration('HOOKLINE_RETRY_RETENTION', 'How long a retry topic keeps a record.', { default: '24h' }),
  deadLettersRetentionMs: duration('HOOKLINE_DEAD_LETTERS_RETENTION', 'How long dead letters are kept.', {
    default: '30d',
  }),
  acceptedRisks: list(
    'HOOKLINE_ACCEPT_TOPIC_RISKS',
    'Dangerous differences of the topics to start with all the same: `replication.factor`, or `hookline.events/retention.ms`.',
    { default: '' },
  ),
  clusterId: optionalText(
    'HOOKLINE_KAFKA_CLUSTER_ID',
    'The id of the Kafka cluster that is meant: a role that finds another one does not start.',
  ),
});
