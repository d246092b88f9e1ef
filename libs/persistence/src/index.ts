export { Tenant } from './management/tenant.entity.js';
export { ApiKey } from './management/api-key.entity.js';
export { Subscription, type DisabledReason } from './management/subscription.entity.js';
export { PUBLISHED_COLUMNS, toSubscriptionRecord } from './management/subscription-record.js';
export { enqueue, OUTBOX_CHANNEL, type PendingRecord, type PendingSubscription } from './management/enqueue.js';
export { Replay, type ReplayKind, type ReplayRange, type ReplayStatus } from './management/replay.entity.js';
export { beginCatchUps, cancelCatchUps, REPLAY_CHANNEL, type CatchUp } from './management/catch-up.js';
export { createDataSource } from './data-source.js';
export { clusterOf, rememberCluster, rememberedCluster } from './cluster.js';
export { ensureDatabase } from './ensure-database.js';
export { type FoundRecord } from './rebuilding/management-rows.js';
export { rebuildManagement, type RebuiltRows } from './rebuilding/rebuild-management.js';
export { createPool } from './pool.js';
export { isRefusal } from './refusal.js';
export { Session } from './session/session.js';
export { unlessAborted } from './session/unless-aborted.js';
export { WakeUp } from './session/wake-up.js';
export { connectionOptions, type PgConnectionOptions } from './connection-options.js';
export {
  assertSchemaNotNewer,
  migrate,
  schemaState,
  SchemaTooNew,
  type Queryable,
  type SchemaState,
} from './migrate.js';
export { expunge, ExpungedPayloads, noteExpunged, type CopiesOf } from './history/expunged-payloads.js';
export { DayPartitions } from './history/day-partitions.js';
export { EventHistory, type FoundEvent } from './history/event-history.js';
export { type RecordedEvent, type Routing } from './history/event-row.js';
export { EventSearch, type EventFilter, type SearchPlaces } from './history/event-search.js';
export {
  DeliveryHistory,
  type DeliveryFilter,
  type DeliveryPage,
  type AnsweredAttempt,
  type ExchangedAttempt,
} from './history/delivery-history.js';
export { type RecordedAttempt } from './history/attempt-row.js';
export { AttemptSearch, type AttemptFilter, type FoundAttempt } from './history/attempt-search.js';
export { type RecordedDelivery } from './history/delivery-row.js';
export { AuditTrail, type AuditEntry } from './management/audit.js';
export { DeadLetterChanges } from './history/dead-letter-changes.js';
export {
  DeadLetterHistory,
  type DeadLetterGroup,
  type DeadLetterTally,
  type RecordedDeadLetter,
} from './history/dead-letter-history.js';
export {
  DeadLetterRecords,
  type DeadLetterRecord,
  type DeadLetterRecordFilter,
  type ListedRecord,
} from './history/dead-letter-records.js';
export { type DeadLetterFilter } from './history/dead-letter-sql.js';
export { chooseDelivery, chosenRanges } from './history/replay-choices.js';
export { DeliveryStates, type KnownState } from './history/delivery-states.js';
export { MissedDeliveries, type Missed } from './history/missed-deliveries.js';
export { deliveryIdOf, deliveryUuid } from './history/delivery-uuid.js';
export { InvalidCursor } from './history/cursor.js';
export { OtherCluster, StreamCursors, type StreamPosition } from './history/stream-cursor.js';
export { type StreamGap } from './history/stream-gaps.js';
export { StreamHistory, type StreamEvent, type StreamNews, type StreamPage } from './history/stream-history.js';
export { HistoryWriter, type HistoryBatch, type WrittenRows } from './recording/history-writer.js';
export { disableFailing, type FailingVersion } from './recording/subscription-changes.js';
export { type EventToRecord } from './recording/event-rows.js';
export { type OutcomeToRecord } from './recording/attempt-rows.js';
export { forgetSuccesses } from './recording/success-minutes.js';
export { noteGap, recorderGaps, type NotedRecorderGap } from './recording/recorder-gaps.js';
export { offsetKey, OffsetsMoved, readOffsets, type OffsetMove } from './recording/recorder-offsets.js';
