const CHUNK_BITS = 16;
const CHUNK = 1 << CHUNK_BITS;
const MASK = CHUNK - 1;

/** What was told of a delivery. */
export const TOLD = { nothing: 0, waits: 1, dead: 2, held: 3, delivered: 4 } as const;
export type Told = (typeof TOLD)[keyof typeof TOLD];

/** Bits of a pair. */
export const FLAG = {
  /** Of these two bits: 0 taken, 1 held, 2 unclear, 3 none of them after all. */
  kind: 0b11,
  /** A worker has said that the event matched it. */
  named: 0b1000,
  /** A lane has a record of it that isn't complete. */
  inLane: 0b1_0000,
  /** A range of dead letters has it. */
  inRange: 0b10_0000,
  /** What was told last was told by the dead letter itself. */
  byLetter: 0b100_0000,
  /** It was missing in the last look. */
  sought: 0b1000_0000,
  /** And in the look before that one. */
  confirmed: 0b1_0000_0000,
} as const;

interface Chunk {
  subscription: Uint32Array;
  flags: Uint16Array;
  told: Uint8Array;
  at: Float64Array;
  offset: Float64Array;
}

/** One row of 23 bytes for each event and subscription, in columns: objects would take ten times as much. */
export class PairTable {
  private readonly chunks: Chunk[] = [];
  private rows = 0;

  get size(): number {
    return this.rows;
  }

  add(subscription: number, flags: number): void {
    if ((this.rows & MASK) === 0) this.chunks.push(newChunk());
    const chunk = this.of(this.rows);
    const i = this.rows & MASK;
    chunk.subscription[i] = subscription;
    chunk.flags[i] = flags;
    this.rows += 1;
  }

  subscription(row: number): number {
    return this.of(row).subscription[row & MASK] as number;
  }

  flags(row: number): number {
    return this.of(row).flags[row & MASK] as number;
  }

  setFlags(row: number, flags: number): void {
    this.of(row).flags[row & MASK] = flags;
  }

  mark(row: number, flag: number): void {
    this.setFlags(row, this.flags(row) | flag);
  }

  told(row: number): Told {
    return this.of(row).told[row & MASK] as Told;
  }

  /** When that was appended, ms since the epoch, and at which offset. */
  toldAt(row: number): { at: number; offset: number } {
    const chunk = this.of(row);
    const i = row & MASK;
    return {
      at: chunk.at[i] as number,
      offset: chunk.offset[i] as number,
    };
  }

  setTold(row: number, told: Told, { at, offset }: { at: number; offset: number }): void {
    const chunk = this.of(row);
    const i = row & MASK;
    chunk.told[i] = told;
    chunk.at[i] = at;
    chunk.offset[i] = offset;
  }

  /** Takes a flag off every row. */
  clear(flag: number): void {
    for (const { flags } of this.chunks) for (let i = 0; i < CHUNK; i += 1) flags[i] = (flags[i] as number) & ~flag;
  }

  private of(row: number): Chunk {
    return this.chunks[row >>> CHUNK_BITS] as Chunk;
  }
}

function newChunk(): Chunk {
  return {
    subscription: new Uint32Array(CHUNK),
    flags: new Uint16Array(CHUNK),
    told: new Uint8Array(CHUNK),
    at: new Float64Array(CHUNK),
    offset: new Float64Array(CHUNK),
  };
}
