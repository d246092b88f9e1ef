import type { LogPosition } from '@hookline/contracts';
import type { Outstanding } from './outstanding.js';
import type { OrderedWork } from './ordered-work.js';

/**
 * The events of one key that are not through, in the order of the log. Where `hookline.events` grew, a key may have some in
 * two partitions: within one the offset decides, between the first of each the append time.
 */
export class OrderedStream<W extends OrderedWork> {
  /** Events whose record is in our hands and whose time has come: they wait for their turn only. */
  readonly waiting = new Set<Outstanding<W>>();
  /** Since when they wait for one that is not in our hands, ms since the epoch. */
  blockedSince: number | undefined;
  /** How long one event takes, ms: an exponential average. */
  paceMs: number | undefined;
  /** One for each partition of the events; none is empty. */
  private readonly parts: Outstanding<W>[][] = [];

  constructor(
    readonly name: string,
    readonly group: string,
  ) {}

  /** All of them, in no particular order. */
  get events(): readonly Outstanding<W>[] {
    return this.parts.flat();
  }

  find({ partition, offset }: LogPosition): Outstanding<W> | undefined {
    const part = this.partOf(partition);
    const found = part?.[indexIn(part, offset)];
    return found?.source.offset === offset ? found : undefined;
  }

  /** @param added an event that {@link find} does not find */
  add(added: Outstanding<W>): void {
    const { partition, offset } = added.source;
    const part = this.partOf(partition);
    if (part === undefined) this.parts.push([added]);
    else part.splice(indexIn(part, offset), 0, added);
  }

  /** @param removed one that is there */
  remove(removed: Outstanding<W>): void {
    const { partition, offset } = removed.source;
    const part = this.partOf(partition) as Outstanding<W>[];
    part.splice(indexIn(part, offset), 1);
    if (part.length === 0) this.parts.splice(this.parts.indexOf(part), 1);
    this.waiting.delete(removed);
  }

  /** The one that all others wait for. */
  get first(): Outstanding<W> | undefined {
    let first = this.parts[0]?.[0];
    for (let i = 1; i < this.parts.length; i++) {
      const [candidate] = this.parts[i] as Outstanding<W>[];
      if (first === undefined || (candidate !== undefined && isBefore(candidate.source, first.source)))
        first = candidate;
    }
    return first;
  }

  /** How many go before it. */
  ahead({ source }: Outstanding<W>): number {
    let ahead = 0;
    for (const part of this.parts) {
      const first = (part[0] as Outstanding<W>).source;
      if (first.partition === source.partition) ahead += indexIn(part, source.offset);
      else if (isBefore(first, source)) ahead += part.length;
    }
    return ahead;
  }

  private partOf(partition: number): Outstanding<W>[] | undefined {
    for (const part of this.parts) if (part[0]?.source.partition === partition) return part;
    return undefined;
  }
}

function isBefore(a: LogPosition, b: LogPosition): boolean {
  return a.at < b.at || (a.at === b.at && a.partition < b.partition);
}

/** The index of the first that is not before the offset. */
function indexIn(part: readonly Outstanding<OrderedWork>[], offset: number): number {
  const offsetAt = (index: number): number => (part[index] as Outstanding<OrderedWork>).source.offset;
  // Mostly it is the first, whose turn it is, or comes after the last.
  if (part.length === 0 || offsetAt(0) >= offset) return 0;
  if (offsetAt(part.length - 1) < offset) return part.length;
  let low = 1;
  let high = part.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsetAt(middle) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
