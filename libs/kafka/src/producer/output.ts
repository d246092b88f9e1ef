import type { RecordHeaders } from '@hookline/contracts';

export interface OutgoingRecord {
  topic: string;
  /** Decides the partition (murmur2, as Kafka's own clients do); null or absent: the flush chooses. */
  key?: string | Buffer | null;
  /** Goes to this partition, whatever the key. */
  partition?: number;
  value: Buffer | null;
  headers?: RecordHeaders;
  /**
   * Asked right before it is sent for the first time, so also after a process was frozen with it in the queue: where the answer
   * is no, it is not sent, and its caller is told `fenced`. Absent: it may.
   */
  mayLeave?: (() => boolean) | undefined;
  /** Nobody waits for what follows from it: it may wait for others to the same leader (`gatherMs`), and goes along with them. */
  unhurried?: boolean;
}

export interface Appended {
  partition: number;
  offset: number;
}

/** Where records go. Resolves once every in-sync replica has the record. */
export interface Output {
  /**
   * @param deadlineMs how long the caller waits; the record may still be appended later. Absent: for ever.
   * @throws NotDurable when the deadline passed, the buffer is full, the record may not leave any more, or the pump has stopped
   */
  produce(record: OutgoingRecord, deadlineMs?: number): Promise<Appended>;
}

/** The record is not known to be durable; it may still become so, unless it was fenced. */
export class NotDurable extends Error {
  override name = 'NotDurable';
  constructor(
    readonly reason: 'deadline' | 'overloaded' | 'stopped' | 'refused' | 'fenced',
    detail: string,
  ) {
    super(detail);
  }
}
