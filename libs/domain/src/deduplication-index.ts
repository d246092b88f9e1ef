import { hash } from 'node:crypto';

/** Numbers of 32 bits in a fingerprint. */
const WORDS = 4;
const FIRST_CAPACITY = 1_024;
const EMPTY = 0;

/**
 * Which (tenant, id) a partition of `hookline.events` has seen. The rule: a record is a duplicate if an earlier one
 * with the same tenant and id was appended within the window before it. It depends on one window of the log alone, so
 * an index that was rebuilt from the log's tail decides alike.
 *
 * It remembers the last `maxIds` records at most; when it is full the oldest is forgotten, and a repeat of that one
 * is delivered again. Memory: 40 bytes an id (16 of fingerprint, 8 of time, 8 of offset, 8 of table), rounded up to a power of two;
 * it grows with what is remembered, and is never given back before the partition is.
 *
 * Records must come in log order.
 */
export class DeduplicationIndex {
  /** A ring of what was seen, oldest first; positions count on for ever, the slot is position mod capacity. */
  private capacity: number;
  private prints: Uint32Array;
  private times: Float64Array;
  private firstOffsets: Float64Array;
  private head = 0;
  private tail = 0;
  /** Open addressing, linear probing: 1 + the slot of the latest record with a fingerprint; twice the ring's size. */
  private table: Uint32Array;
  private latestTime = 0;
  private readonly probe = new Uint32Array(WORDS);

  constructor(
    private readonly windowMs: number,
    private readonly maxIds: number,
  ) {
    this.capacity = Math.min(FIRST_CAPACITY, powerOfTwo(maxIds));
    this.prints = new Uint32Array(this.capacity * WORDS);
    this.times = new Float64Array(this.capacity);
    this.firstOffsets = new Float64Array(this.capacity);
    this.table = new Uint32Array(this.capacity * 2);
  }

  /** Records that are remembered. */
  get size(): number {
    return this.tail - this.head;
  }

  /**
   * Takes a record in, and says whether it is a duplicate.
   * @param at the broker's append time, ms since the epoch
   * @returns the offset of the first record known with this tenant and id; undefined if this is the first one
   */
  add(tenant: string, id: string, offset: number, at: number): number | undefined {
    // A change of leader may set the log's clock back a little; the ring needs times that don't.
    const time = (this.latestTime = Math.max(at, this.latestTime));
    this.forgetBefore(time - this.windowMs);
    fingerprint(tenant, id, this.probe);
    const entry = this.find(this.probe);
    const known = this.table[entry] as number;
    const first = known === EMPTY ? offset : (this.firstOffsets[known - 1] as number);
    // The same record once more (its handler failed, and it is tried again) is no repeat of itself.
    if (known !== EMPTY && first >= offset) return undefined;
    this.remember(entry, known, first, time);
    return known === EMPTY ? undefined : first;
  }

  private remember(entry: number, known: number, first: number, time: number): void {
    if (this.size === this.maxIds) {
      const oldestIsThis = known !== EMPTY && known - 1 === this.head % this.capacity;
      this.forgetOldest();
      // Forgetting moves entries of the table about.
      if (oldestIsThis || known === EMPTY || this.table[entry] !== known) entry = this.find(this.probe);
    } else if (this.size === this.capacity) {
      this.grow();
      entry = this.find(this.probe);
    }
    const slot = this.tail % this.capacity;
    this.prints.set(this.probe, slot * WORDS);
    this.times[slot] = time;
    this.firstOffsets[slot] = first;
    this.table[entry] = slot + 1;
    this.tail++;
  }

  private forgetBefore(time: number): void {
    while (this.head < this.tail && (this.times[this.head % this.capacity] as number) < time) this.forgetOldest();
  }

  private forgetOldest(): void {
    const slot = this.head % this.capacity;
    this.head++;
    let hole = this.homeOf(slot);
    while (this.table[hole] !== slot + 1) {
      // Seen again since: the table points at the later record, and there is nothing to take out.
      if (this.table[hole] === EMPTY) return;
      hole = this.next(hole);
    }
    this.closeHole(hole);
  }

  /** Moves back what had been pushed past the hole, so that probing never meets a gap. */
  private closeHole(hole: number): void {
    const mask = this.table.length - 1;
    for (let at = this.next(hole); this.table[at] !== EMPTY; at = this.next(at)) {
      const home = this.homeOf((this.table[at] as number) - 1);
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      this.table[hole] = this.table[at] as number;
      hole = at;
    }
    this.table[hole] = EMPTY;
  }

  /** The entry of the table that has this fingerprint, or the empty one where it would go. */
  private find(print: Uint32Array): number {
    let at = (print[0] as number) & (this.table.length - 1);
    for (;;) {
      const known = this.table[at] as number;
      if (known === EMPTY || this.isAt(known - 1, print)) return at;
      at = this.next(at);
    }
  }

  private isAt(slot: number, print: Uint32Array): boolean {
    const from = slot * WORDS;
    for (let word = 0; word < WORDS; word++) if (this.prints[from + word] !== print[word]) return false;
    return true;
  }

  private homeOf(slot: number): number {
    return (this.prints[slot * WORDS] as number) & (this.table.length - 1);
  }

  private next(at: number): number {
    return (at + 1) & (this.table.length - 1);
  }

  private grow(): void {
    const old = { capacity: this.capacity, prints: this.prints, times: this.times, offsets: this.firstOffsets };
    this.capacity = old.capacity * 2;
    this.prints = new Uint32Array(this.capacity * WORDS);
    this.times = new Float64Array(this.capacity);
    this.firstOffsets = new Float64Array(this.capacity);
    this.table = new Uint32Array(this.capacity * 2);
    for (let position = this.head; position < this.tail; position++) {
      const from = position % old.capacity;
      const to = position % this.capacity;
      const print = old.prints.subarray(from * WORDS, (from + 1) * WORDS);
      this.prints.set(print, to * WORDS);
      this.times[to] = old.times[from] as number;
      this.firstOffsets[to] = old.offsets[from] as number;
      // In log order, so that the table ends at the latest record of each fingerprint.
      this.table[this.find(print)] = to + 1;
    }
  }
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, atLeast)));
}

/** 128 bits of SHA-256: nobody can publish an id that hides another's. */
function fingerprint(tenant: string, id: string, into: Uint32Array): void {
  const digest = hash('sha256', `${tenant}\0${id}`, 'buffer');
  for (let word = 0; word < WORDS; word++) into[word] = digest.readUInt32LE(word * 4);
}
