import { describe, expect, it } from '@jest/globals';
import { decodeProgress, type AgedOutRecord } from '@hookline/contracts';
import type { AgedOut } from '@hookline/kafka';
import { silentLogger } from '@hookline/platform';
import { TestClock } from '@hookline/testing';
import { AgedOutReports } from './aged-out-reports.js';

const GROUP = 'hookline.delivery.events';
const LOG = { low: 900, high: 1_000 };

describe('AgedOutReports', () => {
  /** Of several workers, one after the other, over one topic that they write to. */
  function reports(): { report: (gap: Partial<AgedOut>) => Promise<AgedOut | undefined>; written: AgedOutRecord[] } {
    const written: AgedOutRecord[] = [];
    const clock = new TestClock(5_000);
    const output = {
      produce: async ({ value }: { value: Buffer | string | null }) => {
        written.push(decodeProgress<AgedOutRecord>(Buffer.from(value ?? '')));
        return { topic: '', partition: 0, offset: 0, timestamp: 0 };
      },
    };
    const worker = (): AgedOutReports =>
      new AgedOutReports(
        output as never,
        async () => 4_000,
        async () => written,
        clock,
        silentLogger,
      );
    return {
      report: (gap) => worker().report(GROUP, { topic: 'hookline.events', partition: 1, from: 0, to: 0, ...gap }, LOG),
      written,
    };
  }

  const ranges = (written: readonly AgedOutRecord[]): string[] => written.map(({ from, to }) => `${from}-${to}`);

  it('An age-out that two owners find, one after the other, is told once: of what the second one finds only what is new', async () => {
    const { report, written } = reports();
    expect(await report({ from: 280, to: 869 })).toMatchObject({ from: 280, to: 869 });
    // The first one went before it committed; and kafkajs has destroyed what was: only an older watermark is left.
    expect(await report({ from: 0, to: 869, since: 1_000 })).toBeUndefined();
    expect(await report({ from: 280, to: 900, since: 1_000 })).toMatchObject({ from: 869, to: 900 });
    expect(ranges(written)).toEqual(['280-869', '869-900']);
  });

  it('tells what another group, or partition, has lost at the same offsets', async () => {
    const { report, written } = reports();
    await report({ from: 280, to: 869 });
    await report({ from: 280, to: 869, partition: 2 });
    await report({ from: 280, to: 869, topic: 'hookline.retry.5s' });
    expect(written).toHaveLength(3);
  });

  it('tells of the same offsets again where the group had been read since: the topic was made anew', async () => {
    const { report, written } = reports();
    await report({ from: 280, to: 869 });
    await report({ from: 100, to: 300, since: 6_000 });
    expect(ranges(written)).toEqual(['280-869', '100-300']);
  });
});
