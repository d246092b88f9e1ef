import type { OrderedStream } from './ordered-stream.js';
import type { OrderedWork } from './ordered-work.js';
import type { Outstanding } from './outstanding.js';

/** Whose record it is. */
export interface Carried<W extends OrderedWork> {
  readonly stream: OrderedStream<W>;
  readonly outstanding: Outstanding<W>;
}

interface Scanned<W extends OrderedWork> extends Carried<W> {
  readonly offset: number;
}

interface Lane<W extends OrderedWork> {
  readonly records: Scanned<W>[];
  /** Those before it were read. */
  next: number;
}

/**
 * Records that the scan of a lane found and that were not read since. A lane is read in order: what a later record
 * has overtaken will not come any more, for the log has let go of it.
 */
export class ScannedRecords<W extends OrderedWork> {
  private readonly lanes = new Map<string, Lane<W>>();

  /** In log order for each lane. */
  add({ lane, offset }: { readonly lane: string; readonly offset: number }, carried: Carried<W>): void {
    const known = this.lanes.get(lane);
    if (known === undefined) this.lanes.set(lane, { records: [{ ...carried, offset }], next: 0 });
    else known.records.push({ ...carried, offset });
  }

  /**
   * @param missed gets those that will not come any more
   * @returns whose it is, where the scan had found this record and it comes for the first time
   */
  read({ lane, offset }: OrderedWork, missed: Carried<W>[]): Carried<W> | undefined {
    const known = this.lanes.get(lane);
    if (known === undefined) return undefined;
    let scanned = known.records[known.next];
    for (; scanned !== undefined && scanned.offset < offset; scanned = known.records[++known.next])
      missed.push(scanned);
    const found = scanned?.offset === offset ? scanned : undefined;
    if (found !== undefined) known.next++;
    if (known.next === known.records.length) this.lanes.delete(lane);
    return found;
  }
}
