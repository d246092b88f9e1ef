import { decodeEventHeaders, TOPICS } from '@hookline/contracts';
import type { LogRecord } from '@hookline/kafka';
import type { EventToRecord, HistoryBatch, OffsetMove, OutcomeToRecord } from '@hookline/persistence';
import { readOutcome } from './outcome-reader.js';

/** A record on its way to PostgreSQL. One with neither can't be read: only its offset is written. */
export interface Entry {
  record: LogRecord;
  event?: EventToRecord;
  outcome?: OutcomeToRecord;
}

/** What the recorder reads. */
export interface RecordedTopics {
  events: string;
  attempts: string;
}

export const RECORDED_TOPICS: RecordedTopics = { events: TOPICS.events, attempts: TOPICS.attempts };

/** @throws UnreadableRecord */
export function readEntry(record: LogRecord, topics: RecordedTopics): Entry {
  const position = { partition: record.partition, offset: record.offset, at: record.timestamp };
  if (record.topic === topics.attempts) return { record, outcome: { position, outcome: readOutcome(record.value) } };
  const envelope = decodeEventHeaders(record.headers);
  return { record, event: { position, envelope, payload: record.value ?? Buffer.alloc(0) } };
}

/**
 * What is written for these entries.
 * @param expected the stored offset of a partition
 */
export function toHistoryBatch(entries: readonly Entry[], expected: (record: LogRecord) => number): HistoryBatch {
  const moves = new Map<string, OffsetMove>();
  const events: EventToRecord[] = [];
  const outcomes: OutcomeToRecord[] = [];
  for (const { record, event, outcome } of entries) {
    const { topic, partition, offset } = record;
    const key = `${topic}/${partition}`;
    const move = moves.get(key);
    if (move) move.next = offset + 1;
    else moves.set(key, { topic, partition, expected: expected(record), first: offset, next: offset + 1 });
    if (event) events.push(event);
    if (outcome) outcomes.push(outcome);
  }
  return { moves: [...moves.values()], events, outcomes };
}
