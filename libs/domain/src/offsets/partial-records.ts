import type { RemainderRun } from './offset-run.js';
import { RecordParts } from './record-parts.js';
import type { Remainder } from './remainder.js';

/** The records of one partition of which some parts are complete and others are not. */
export class PartialRecords {
  /** Of records in flight, in the order in which they began or were read: by offset, but for what is tried again. */
  private readonly known = new Map<number, RecordParts | Remainder>();
  /** Of records that were not read yet; ascending, apart from one another. */
  private restored: RemainderRun[];

  /** @param changed called when a part is complete */
  constructor(
    restored: readonly RemainderRun[],
    private readonly changed: () => void,
  ) {
    this.restored = [...restored];
  }

  /** A record was read that is not complete. */
  read(offset: number): void {
    if (this.restored.length === 0) return;
    while (this.restored[0] !== undefined && this.restored[0].to <= offset) this.restored.shift();
    const [first] = this.restored;
    if (first === undefined || first.from > offset) return;
    this.known.set(offset, first.remainder);
    if (first.to > offset + 1) this.restored[0] = { ...first, from: offset + 1 };
    else this.restored.shift();
  }

  /** A record in flight has these parts; asked again, the same are answered. */
  parts(offset: number, parts: readonly string[]): RecordParts {
    const known = this.known.get(offset);
    if (known instanceof RecordParts) return known;
    const made = new RecordParts(parts, known, this.changed);
    this.known.set(offset, made);
    return made;
  }

  /** The record is complete. */
  forget(offset: number): void {
    if (this.known.size > 0) this.known.delete(offset);
  }

  /** What is to be committed; ascending, apart from one another. */
  remainders(): RemainderRun[] {
    const runs: RemainderRun[] = [];
    for (const [offset, parts] of this.known) {
      const remainder = typeof parts === 'string' ? parts : parts.remainder();
      if (remainder !== undefined) runs.push({ from: offset, to: offset + 1, remainder });
    }
    return [...runs.sort((a, b) => a.from - b.from), ...this.restored];
  }
}
