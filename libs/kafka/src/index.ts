export * from './consumer/record.js';
export * from './producer/output.js';
export { ProducerPump, type PumpParts, type PumpSettings } from './producer/producer-pump.js';
export type { PumpObserver } from './producer/pump-observer.js';
export { partitionOf } from './producer/murmur2.js';
export { createKafka, type KafkaLogger, type KafkaOptions } from './client.js';
export { topicPlan } from './topics/topic-plan.js';
export { ensureTopics, inspectTopics, type EnsureTopicsOptions, type TopicLog } from './topics/ensure-topics.js';
export { StartCheck, type StartCheckOptions } from './topics/start-check.js';
export { assertCluster, WrongCluster } from './topics/cluster-identity.js';
export { WatermarkLog } from './progress/watermark-log.js';
export { ProgressReader, type ProgressEntry } from './progress/progress-reader.js';
export { TopicsUnusable, describeDifference, type TopicDifference } from './topics/topic-difference.js';
export type { TopicAdmin } from './topics/read-topics.js';
export type { TopicKind, TopicSpec } from './topics/topic-spec.js';
export { appendTimeOf } from './reader/append-time.js';
export { RangeReader, type OffsetRange, type RangeReaderOptions, type ReadBatch } from './reader/range-reader.js';
export type { ReadRecord } from './reader/fetch.js';
export { TopicOffsets, type PartitionOffsets } from './reader/topic-offsets.js';
export { OffsetRunner } from './consumer/offset-runner.js';
export { consumerOptions } from './consumer/consumer-options.js';
export { readKnown } from './consumer/committed-progress.js';
export { openRuns } from './consumer/open-runs.js';
export type { AgedOut, PartitionStats, RunnerHealth, RunnerObserver, RunnerStats } from './consumer/runner-observer.js';
export {
  partitionKey,
  type Bounds,
  type LookBack,
  type PositionStore,
  type ProgressWitness,
  type RestoredProgress,
  type RunnerLogger,
  type RunnerOptions,
} from './consumer/runner-options.js';
export {
  LogTransportStrategy,
  type LogTransportGroup,
  type LogTransportOptions,
} from './consumer/log-transport.strategy.js';
export { CompactedView, type CompactedViewOptions, type Entries } from './view/compacted-view.js';
export { TopicFollower } from './view/topic-follower.js';
export { brokersInTurn } from './view/connect.js';
export { LogClock } from './log-clock.js';
export { PumpMetrics } from './producer/pump-metrics.js';
export { observeView } from './view/view-metrics.js';
