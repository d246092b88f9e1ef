import { encodeSourceDeadLetter, TOPICS, type RecordHeaders, type SourceOrigin } from '@hookline/contracts';
import { NotDurable, type OutgoingRecord, type Output, type ReadRecord } from '@hookline/kafka';
import type { Clock } from '@hookline/platform';
import type { SourceDefinition } from './definition.js';

const PAUSE_MS = 1_000;
const MOST_DETAIL = 1_000;

/** Keeps the records that are no events, with the reason, so that they can be redriven. */
export class DeadLetters {
  constructor(
    private readonly output: Output,
    private readonly clock: Clock,
  ) {}

  /**
   * Resolves when it is durable; what is refused or has no room is tried again, for nothing may pass it unsaid.
   * @throws NotDurable when writing has come to its end
   */
  async write(source: SourceDefinition, record: ReadRecord, detail: string, signal: AbortSignal): Promise<void> {
    const said = detail.slice(0, MOST_DETAIL);
    for (let leaveOut = false; ;) {
      try {
        await this.output.produce(letterOf(source, record, said, leaveOut));
        return;
      } catch (error) {
        if (!(error instanceof NotDurable) || error.reason === 'stopped' || signal.aborted) throw error;
        // Too large with what is added to it: the producer's topic has it.
        leaveOut ||= error.reason === 'refused';
        await new Promise<void>((resolve) => this.clock.after(PAUSE_MS, resolve));
      }
    }
  }
}

function letterOf(source: SourceDefinition, record: ReadRecord, detail: string, leaveOut: boolean): OutgoingRecord {
  const { topic, partition, offset, timestamp } = record;
  const origin: SourceOrigin = {
    source: source.name,
    tenant: source.tenant,
    topic,
    partition,
    offset,
    timestamp,
    key: leaveOut || record.key === null ? null : record.key.toString('base64'),
    ...(leaveOut ? { leftOut: true } : {}),
  };
  const headers = leaveOut ? {} : firstOfEach(record.headers);
  return {
    topic: TOPICS.deadLetters,
    ...encodeSourceDeadLetter({ origin, detail, headers }),
    value: leaveOut ? null : record.value,
  };
}

function firstOfEach(headers: ReadRecord['headers']): RecordHeaders {
  const kept: RecordHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined && first !== null) kept[name] = first;
  }
  return kept;
}
