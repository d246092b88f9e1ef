import type { Remainder } from './remainder.js';

/** Offsets `from` (inclusive) to `to` (exclusive). */
export interface OffsetRun {
  readonly from: number;
  readonly to: number;
}

/** Of these offsets, those that are not complete have this remainder. */
export interface RemainderRun extends OffsetRun {
  readonly remainder: Remainder;
}
