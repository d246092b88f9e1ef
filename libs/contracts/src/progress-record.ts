import { UnreadableRecord, type LogPosition } from './log-position.js';

/**
 * The keys of `hookline.progress`, a compacted topic that several parts share. No format is the beginning of another:
 * - `clock`: without a value; it only asks what time it is.
 * - `cluster`: a {@link ClusterRecord}.
 * - `watermark/<group>/<topic>/<partition>`: a {@link WatermarkRecord}.
 * - `aged-out/<group>/<topic>/<partition>/<from>`: an {@link AgedOutRecord}.
 * - `expunged/<partition>/<offset>`: an {@link ExpungedRecord}.
 */
export const CLOCK_KEY = 'clock';
export const CLUSTER_KEY = 'cluster';
export const WATERMARK_PREFIX = 'watermark/';
export const AGED_OUT_PREFIX = 'aged-out/';
export const EXPUNGED_PREFIX = 'expunged/';

/** A partition as a consumer group reads it. */
export interface GroupPartition {
  group: string;
  topic: string;
  partition: number;
}

export const watermarkKey = ({ group, topic, partition }: GroupPartition): string =>
  `${WATERMARK_PREFIX}${group}/${topic}/${partition}`;

export const agedOutKey = ({ group, topic, partition, from }: GroupPartition & { from: number }): string =>
  `${AGED_OUT_PREFIX}${group}/${topic}/${partition}/${from}`;

export const expungedKey = ({ partition, offset }: Pick<LogPosition, 'partition' | 'offset'>): string =>
  `${EXPUNGED_PREFIX}${partition}/${offset}`;

/** The Kafka cluster that these topics were made in. */
export interface ClusterRecord {
  v: 1;
  clusterId: string;
}

/**
 * How far a group had come, now and then: the first offset that was not known to be complete. What Kafka itself keeps of a
 * group can be destroyed, or expire; this tells what was not read when the log let go of it. The record's own append time
 * says when that held.
 */
export interface WatermarkRecord {
  v: 1;
  watermark: number;
}

/** `found`: nobody has looked after it yet. `re-created`: what can be is in its lane again. `lost`: nothing could be. */
export type AgedOutState = 'found' | 're-created' | 'lost';

/** Records that the log let go of before they were read: `from` inclusive, `to` exclusive. */
export interface AgedOutRecord extends GroupPartition {
  v: 1;
  from: number;
  /** At most: what was read since the watermark was last written is counted in. */
  to: number;
  /** When it was found, ms since the epoch. */
  foundAt: number;
  /** When `from` was last known to be where the group stood, ms since the epoch; absent where nobody knows. */
  since?: number;
  /** The append time of the first record that is still there, ms since the epoch; absent where there is none. */
  until?: number;
  state: AgedOutState;
  /** Deliveries that were written to a lane again. */
  recreated?: number;
  /** What could not be re-created, for its events are not in the log any more. */
  lost?: LostEvents[];
}

/** Deliveries of events that the log has let go of: offsets of one partition of `hookline.events`, both inclusive. */
export interface LostEvents {
  partition: number;
  first: number;
  last: number;
  /** Append times of those two, ms since the epoch. */
  firstAt: number;
  lastAt: number;
  deliveries: number;
}

/**
 * The payload of an event of `hookline.events` is not to be written to a database any more, nor to be sent anew: somebody
 * had it taken out. Said in the log, for a database that is made anew from the log has never heard of it.
 */
export interface ExpungedRecord extends LogPosition {
  v: 1;
  /** ms since the epoch */
  expungedAt: number;
}

export type ProgressRecord = ClusterRecord | WatermarkRecord | AgedOutRecord | ExpungedRecord;

export const encodeProgress = (record: ProgressRecord): Buffer => Buffer.from(JSON.stringify(record));

/** @throws UnreadableRecord */
export function decodeProgress<T extends ProgressRecord>(value: Buffer): T {
  let record: T;
  try {
    record = JSON.parse(value.toString('utf8')) as T;
  } catch {
    throw new UnreadableRecord('a record of the progress that is not JSON');
  }
  if (record?.v !== 1) throw new UnreadableRecord('a record of the progress of an unknown version');
  return record;
}
