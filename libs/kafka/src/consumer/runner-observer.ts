/** Records that the log let go of before they were read: `from` inclusive, `to` exclusive. */
export interface AgedOut {
  topic: string;
  partition: number;
  from: number;
  to: number;
  /** When the group was last known to stand at or before `from`, ms since the epoch; absent where nobody knows. */
  since?: number;
}

/** What the runner tells for metrics and alarms; each call is short and never throws. */
export interface RunnerObserver {
  /** Work between the two offsets is lost to this group: it must be re-created or reported. */
  agedOut?(gap: AgedOut): void;
  /** The progress is past the log's end: the topic was made again, or lost its tail. It is read from its start. */
  beyondEnd?(found: { topic: string; partition: number; watermark: number; end: number }): void;
  handedOver?(topic: string, records: number): void;
  completed?(topic: string, records: number): void;
  /** The record will be tried again after `delayMs`. */
  rejected?(failed: {
    topic: string;
    partition: number;
    offset: number;
    attempt: number;
    delayMs: number;
    error: unknown;
  }): void;
  committed?(partitions: number, ms: number): void;
  commitFailed?(error: unknown): void;
  joined?(partitions: number): void;
  /** The consumer is made anew. */
  restarted?(reason: string): void;
}

export interface PartitionStats {
  topic: string;
  partition: number;
  /** The next offset to read. */
  position: number;
  /** The first offset that isn't complete. */
  watermark: number;
  /** The log's end as last seen. */
  highWatermark: number;
  inFlight: number;
  inFlightBytes: number;
  /** The append time of the oldest record in flight, ms since the epoch. */
  oldestTimestamp: number | undefined;
  /** Why it is paused, empty if it isn't. */
  paused: readonly string[];
}

export interface RunnerStats {
  inFlight: number;
  partitions: readonly PartitionStats[];
  /** Milliseconds since a heartbeat was last accepted; undefined before the first join. */
  heartbeatAgeMs: number | undefined;
}

export interface RunnerHealth {
  ok: boolean;
  /** Sentences for a person; empty if all is well. */
  problems: readonly string[];
}
