import { describe, expect, it } from '@jest/globals';
import { TOPICS } from '@hookline/contracts';
import { ProblemError } from '@hookline/platform';
import { millisOf } from '../topics/timestamp.js';
import type { Place } from './boundaries.js';
import type { Boundary } from './replays.schemas.js';
import { resolveRanges, type LogBounds } from './resolve-ranges.js';

/** Partition 0 has 100 to 200, one record each millisecond; partition 1 is empty. */
const log: LogBounds = {
  bounds: async () => [
    { partition: 0, low: 100, high: 200 },
    { partition: 1, low: 0, high: 0 },
  ],
  at: async (_topic, timestamp) =>
    new Map([
      [0, Math.min(200, Math.max(100, timestamp))],
      [1, 0],
    ]),
};

function placed(boundary: Boundary): Place {
  if ('offsets' in boundary) return { by: 'offsets', offsets: boundary.offsets };
  if ('timestamp' in boundary) return { by: 'time', at: millisOf(boundary.timestamp) };
  throw new Error('history is not asked here');
}

const ranges = (from: Boundary, to?: Boundary) => resolveRanges(log, TOPICS.events, placed(from), to && placed(to));

async function fieldsOf(from: Boundary, to?: Boundary): Promise<string[]> {
  try {
    await ranges(from, to);
  } catch (error) {
    if (error instanceof ProblemError) return (error.problem.errors ?? []).map(({ field }) => field);
    throw error;
  }
  return [];
}

const range = (from: number, to: number) => ({ from, next: from, to });

describe('the ranges of a replay', () => {
  it('are those that `from` names, to the end of the log', async () => {
    expect(await ranges({ offsets: { '0': 120 } })).toEqual({ '0': range(120, 200) });
  });

  it('are of every partition where a time is named', async () => {
    expect(await ranges({ timestamp: 150 })).toEqual({ '0': range(150, 200), '1': range(0, 0) });
    expect(await ranges({ timestamp: 110 }, { timestamp: 150 })).toEqual({ '0': range(110, 150), '1': range(0, 0) });
  });

  it('are those that `to` names where only it names any', async () => {
    expect(await ranges({ timestamp: 0 }, { offsets: { '0': 130 } })).toEqual({ '0': range(100, 130) });
  });

  it('end at the end where `to` leaves a partition out, and may be empty', async () => {
    expect(await ranges({ offsets: { '0': 200, '1': 0 } }, { offsets: { '1': 0 } })).toEqual({
      '0': range(200, 200),
      '1': range(0, 0),
    });
  });

  it.each<[string, Boundary, Boundary | undefined, string]>([
    ['below the log', { offsets: { '0': 99 } }, undefined, 'from.offsets.0'],
    ['past the log', { offsets: { '0': 201 } }, undefined, 'from.offsets.0'],
    ['to past the log', { offsets: { '0': 100 } }, { offsets: { '0': 201 } }, 'to.offsets.0'],
    ['of no such partition', { offsets: { '2': 0 } }, undefined, 'from.offsets.2'],
    ['backwards', { offsets: { '0': 150 } }, { offsets: { '0': 140 } }, 'from.offsets.0'],
    ['backwards in time', { timestamp: 150 }, { timestamp: 140 }, 'from.timestamp'],
    ['from an offset after the time', { offsets: { '0': 150 } }, { timestamp: 140 }, 'from.offsets.0'],
    ['to a partition that is not read', { offsets: { '0': 150 } }, { offsets: { '1': 0 } }, 'to.offsets.1'],
  ])('are refused %s', async (_what, from, to, field) => {
    expect(await fieldsOf(from, to)).toEqual([field]);
  });

  it('say what the log has', async () => {
    await expect(ranges({ offsets: { '0': 5 } })).rejects.toMatchObject({
      problem: { errors: [{ message: "5 is out of the log's range; it has 100 to 200 (exclusive)", limit: 100 }] },
    });
  });
});
