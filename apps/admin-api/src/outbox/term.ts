import {
  encodeCompacted,
  encodeProgress,
  type CredentialRecord,
  type ExpungedRecord,
  type SubscriptionRecord,
} from '@hookline/contracts';
import type { Output } from '@hookline/kafka';
import type { Session } from '@hookline/persistence';
import { writeAll } from '../keepers/write-all.js';
import type { VersionStamps } from './version-stamps.js';

/** The time in which this process is the writer. */
export interface Term {
  /** The session that holds the lock. */
  session: Session;
  stamps: VersionStamps;
  /** Aborted when the session is lost, or the process stops. */
  signal: AbortSignal;
}

export interface TopicRecord {
  topic: string;
  key: string;
  payload: CredentialRecord | SubscriptionRecord | ExpungedRecord;
}

/** Resolves when Kafka has acknowledged all of them. @throws the signal's reason, NotDurable */
export async function writeRecords(
  output: Output,
  records: readonly TopicRecord[],
  signal: AbortSignal,
): Promise<void> {
  const encoded = records.map(({ topic, key, payload }) => ({ topic, key, value: encode(payload) }));
  await writeAll(output, encoded, signal);
}

function encode(payload: TopicRecord['payload']): Buffer {
  return 'expungedAt' in payload ? encodeProgress(payload) : encodeCompacted(payload);
}
