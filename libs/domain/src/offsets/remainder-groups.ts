import { number, TextReader, type Packed } from './base32768.js';
import type { OffsetRun, RemainderRun } from './offset-run.js';
import { readRemainder, type Remainder } from './remainder.js';

/**
 * What is left of records, as text: each remainder once, with the runs of offsets that have it (their number, then gap
 * and length of each). An endpoint that hangs is missing in record after record: that costs no more than one does.
 * @param remainders ascending, apart from one another
 * @param complete ascending; a run goes on over offsets that are complete, for nobody asks about those
 */
export function toGroups(
  watermark: number,
  remainders: readonly RemainderRun[],
  complete: readonly OffsetRun[],
  room: number,
): Pick<Packed, 'text' | 'whole'> {
  let text = '';
  let whole = true;
  for (const [remainder, runs] of grouped(remainders, complete)) {
    let group = remainder + number(runs.length);
    let at = watermark;
    for (const { from, to } of runs) {
      group += number(from - at) + number(to - from);
      at = to;
    }
    if (text.length + group.length <= room) text += group;
    else whole = false;
  }
  return { text, whole };
}

/** @throws RangeError if it can't be read */
export function fromGroups(watermark: number, reader: TextReader): RemainderRun[] {
  const found: RemainderRun[] = [];
  while (!reader.ended) {
    const remainder = readRemainder(reader);
    let at = watermark;
    for (let left = reader.number(); left > 0; left--) {
      const from = at + reader.number();
      at = from + reader.number();
      if (at <= from || !Number.isSafeInteger(at)) throw new RangeError('a run without offsets');
      found.push({ from, to: at, remainder });
    }
  }
  return found.sort((a, b) => a.from - b.from);
}

function grouped(
  remainders: readonly RemainderRun[],
  complete: readonly OffsetRun[],
): Map<Remainder, { from: number; to: number }[]> {
  const groups = new Map<Remainder, { from: number; to: number }[]>();
  let before: { run: { from: number; to: number }; remainder: Remainder } | undefined;
  let next = 0;
  for (const { from, to, remainder } of remainders) {
    const end = before?.run.to ?? from;
    while (next < complete.length && (complete[next] as OffsetRun).to <= end) next++;
    const bridge = complete[next];
    const joined = end === from || (bridge !== undefined && bridge.from <= end && bridge.to >= from);
    if (before?.remainder === remainder && joined) {
      before.run.to = to;
      continue;
    }
    const run = { from, to };
    const runs = groups.get(remainder);
    if (runs === undefined) groups.set(remainder, [run]);
    else runs.push(run);
    before = { run, remainder };
  }
  return groups;
}
