import type { PendingRecord } from './pending-record.js';

/** What is left of a flush's limits. */
export interface Room {
  records: number;
  bytes: number;
}

/** Records that wait, first in first out. */
export class RecordQueue {
  private records: PendingRecord[] = [];

  get length(): number {
    return this.records.length;
  }

  push(record: PendingRecord): void {
    this.records.push(record);
  }

  /** Takes from the front what fits into `room` and makes it smaller; one record at least if nothing else is in the flush. */
  take(room: Room, alone: boolean): PendingRecord[] {
    let count = 0;
    for (const record of this.records) {
      const fits = room.records > 0 && record.bytes <= room.bytes;
      if (!fits && !(alone && count === 0)) break;
      room.records -= 1;
      room.bytes -= record.bytes;
      count += 1;
    }
    if (count === this.records.length) {
      const all = this.records;
      this.records = [];
      return all;
    }
    return this.records.splice(0, count);
  }

  takeAll(): PendingRecord[] {
    const all = this.records;
    this.records = [];
    return all;
  }

  /** Removes the records whose deadline has passed. */
  takeExpired(now: number): PendingRecord[] {
    const expired = this.records.filter((record) => record.deadlineAt <= now);
    if (expired.length > 0) this.records = this.records.filter((record) => record.deadlineAt > now);
    return expired;
  }

  /** The deadline that comes first; Infinity if there is none. */
  earliestDeadline(): number {
    return earliestDeadline(this.records);
  }
}

export function earliestDeadline(records: readonly PendingRecord[]): number {
  let earliest = Infinity;
  for (const record of records) if (!record.settled && record.deadlineAt < earliest) earliest = record.deadlineAt;
  return earliest;
}
