import type { PendingRecord } from './pending-record.js';
import type { PartitionQueue } from './partition-queue.js';

/**
 * Records of one partition on their way. What was sent once is sent again as it was, until the broker has said yes
 * or no; only a refusal splits it.
 */
export class PartitionBatch {
  /** In order; the first is the next to be sent, or the one that is out. */
  private readonly pieces: PendingRecord[][];

  constructor(
    readonly queue: PartitionQueue,
    records: PendingRecord[],
    private readonly onSettled: (record: PendingRecord) => void,
  ) {
    this.pieces = [records];
  }

  get open(): boolean {
    return this.pieces.length > 0;
  }

  /** What is to be sent next. */
  get piece(): readonly PendingRecord[] {
    return this.pieces[0] ?? [];
  }

  *records(): Iterable<PendingRecord> {
    for (const piece of this.pieces) yield* piece;
  }

  add(records: readonly PendingRecord[]): void {
    for (const record of records) this.pieces[0]?.push(record);
  }

  /** @param baseOffset of the piece's first record; -1 where the broker didn't say */
  acknowledge(baseOffset: number): void {
    const piece = this.pieces.shift() ?? [];
    let offset = baseOffset;
    for (const record of piece) {
      record.acknowledge(offset);
      this.onSettled(record);
      if (baseOffset >= 0) offset += 1;
    }
  }

  /** The broker won't take the piece: halves are tried until the record at fault stands alone. */
  refuse(detail: string): void {
    const piece = this.pieces.shift() ?? [];
    if (piece.length > 1) {
      const middle = piece.length >> 1;
      this.pieces.unshift(piece.slice(0, middle), piece.slice(middle));
      return;
    }
    for (const record of piece) {
      record.fail('refused', detail);
      this.onSettled(record);
    }
  }
}
