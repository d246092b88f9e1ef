import type { RecordHeaders } from '@hookline/contracts';
import { NotDurable, type Appended, type OutgoingRecord } from './output.js';

/** What a record costs in a batch besides its own bytes: lengths, deltas and its place in the batch. */
const OVERHEAD_BYTES = 70;

/**
 * A record and the caller who waits for it. It has the shape of a kafkajs message, so that it is sent as it is and no
 * second object is made for each record.
 */
export class PendingRecord {
  readonly topic: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: RecordHeaders | undefined;
  /** Set once it is known where it goes. */
  partition: number;
  readonly bytes: number;
  /** Milliseconds since the epoch; Infinity where the caller waits for ever. */
  readonly deadlineAt: number;
  /** As in {@link OutgoingRecord}. */
  readonly mayLeave: (() => boolean) | undefined;
  /** As in {@link OutgoingRecord}. */
  readonly unhurried: boolean;
  settled = false;

  /** @throws TypeError when the value, the key or a header is no text or buffer: it could never be sent */
  constructor(
    record: OutgoingRecord,
    deadlineAt: number,
    private readonly resolve: (appended: Appended) => void,
    private readonly reject: (error: NotDurable) => void,
  ) {
    this.topic = record.topic;
    this.key = typeof record.key === 'string' ? Buffer.from(record.key) : (record.key ?? null);
    this.value = record.value;
    this.headers = record.headers;
    this.partition = record.partition ?? -1;
    this.deadlineAt = deadlineAt;
    this.mayLeave = record.mayLeave;
    this.unhurried = record.unhurried === true;
    this.bytes = OVERHEAD_BYTES + (this.key?.length ?? 0) + byteLength(record.value) + headerBytes(record.headers);
  }

  acknowledge(offset: number): void {
    if (this.settled) return;
    this.settled = true;
    this.resolve({ partition: this.partition, offset });
  }

  fail(reason: NotDurable['reason'], detail: string): void {
    if (this.settled) return;
    this.settled = true;
    this.reject(new NotDurable(reason, detail));
  }
}

function byteLength(value: Buffer | null): number {
  return value === null ? 0 : Buffer.byteLength(value);
}

function headerBytes(headers: RecordHeaders | undefined): number {
  let bytes = 0;
  for (const name in headers)
    bytes += 4 + Buffer.byteLength(name) + Buffer.byteLength(headers[name] as Buffer | string);
  return bytes;
}
