import {
  decodeRedriven,
  decodeSourceDeadLetter,
  encodeRedriven,
  originText,
  TOPICS,
  readable,
  type SourceDeadLetter,
  type SourceOrigin,
} from '@hookline/contracts';
import {
  RangeReader,
  TopicOffsets,
  type OffsetRange,
  type OutgoingRecord,
  type Output,
  type ReadRecord,
} from '@hookline/kafka';
import type { Kafka } from 'kafkajs';
import type { SourceDefinition } from './definition.js';
import { SourceReader, type EventRules } from './source-reader.js';
import { UnusableRecord } from './unusable-record.js';

export interface RedriveParts {
  /** Our cluster. */
  kafka: Kafka;
  output: Output;
  publish: EventRules;
}

export interface Redriven {
  /** Records that are events now, as topic:partition:offset. */
  redriven: string[];
  /** Those that stay dead letters, each with the reason of this time. */
  still: { origin: string; detail: string }[];
}

/**
 * Reads the dead letters of a source and makes events of them, by the source as it is defined now: each once, in the
 * order of their partitions; those that are still no events stay. What was redriven is written down behind its dead
 * letter, so that no later redrive repeats it; where one dies between the two writes the next sends the same id again.
 * @param origins only these, as topic:partition:offset
 * @throws NotDurable when an event or its note could not be written: what came before it is done
 */
export async function redriveSource(
  source: SourceDefinition,
  { kafka, output, publish }: RedriveParts,
  origins?: ReadonlySet<string>,
): Promise<Redriven> {
  const reader = new SourceReader(source, publish);
  const ranges = await bounds(kafka);
  const done = await redrivenBefore(kafka, ranges, source.name);
  const result: Redriven = { redriven: [], still: [] };
  for await (const { records } of new RangeReader(kafka).read(TOPICS.deadLetters, ranges)) {
    const sending: Promise<void>[] = [];
    for (const record of records) {
      const letter = letterIn(record);
      if (letter?.origin.source !== source.name) continue;
      const origin = originText(letter.origin);
      const identity = identityOf(letter.origin);
      // A crash of the relay may have written it twice.
      if (done.has(identity) || origins?.has(origin) === false) continue;
      done.add(identity);
      const event = eventOf(reader, source, letter, record);
      if (typeof event === 'string') result.still.push({ origin, detail: event });
      else sending.push(redrive(output, event, letter.origin).then(() => void result.redriven.push(origin)));
    }
    await Promise.all(sending);
  }
  return result;
}

async function bounds(kafka: Kafka): Promise<OffsetRange[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const found = await new TopicOffsets(admin).bounds(TOPICS.deadLetters);
    return found.map(({ partition, low, high }) => ({ partition, from: low, to: high }));
  } finally {
    await admin.disconnect();
  }
}

async function redrivenBefore(kafka: Kafka, ranges: readonly OffsetRange[], source: string): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const { records } of new RangeReader(kafka).read(TOPICS.deadLetters, ranges)) {
    for (const { headers } of records) {
      const origin = readable(() => decodeRedriven(headers));
      if (origin?.source === source) found.add(identityOf(origin));
    }
  }
  return found;
}

/** One that can't be read is somebody else's. */
const letterIn = ({ headers }: ReadRecord): SourceDeadLetter | undefined =>
  readable(() => decodeSourceDeadLetter(headers));

/** A topic that was made again may have other records at the same places. */
const identityOf = (origin: SourceOrigin): string => `${originText(origin)}:${origin.timestamp}`;

/** @returns the record for `hookline.events`, or why there is none */
function eventOf(
  reader: SourceReader,
  source: SourceDefinition,
  { origin, headers }: SourceDeadLetter,
  { value }: ReadRecord,
): OutgoingRecord | string {
  const { tenant, topic, partition, offset, timestamp, leftOut } = origin;
  if (leftOut) return 'it was too large to be kept: it is in its own topic only';
  if (tenant !== source.tenant) return `it is of tenant ${tenant}, and the source is of ${source.tenant} now`;
  const key = origin.key === null ? null : Buffer.from(origin.key, 'base64');
  try {
    return reader.read({ topic, partition, offset, timestamp, key, value, headers });
  } catch (error) {
    if (error instanceof UnusableRecord) return error.message;
    throw error;
  }
}

async function redrive(output: Output, event: OutgoingRecord, origin: SourceOrigin): Promise<void> {
  await output.produce(event);
  await output.produce({ topic: TOPICS.deadLetters, ...encodeRedriven(origin), value: null });
}
