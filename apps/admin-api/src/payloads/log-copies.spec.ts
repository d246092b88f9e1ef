import { describe, expect, it } from '@jest/globals';
import type { TopicSpec } from '@hookline/kafka';
import { logCopies } from './log-copies.js';

const HOUR = 3_600_000;
const CHECK = 300_000;
const NOW = Date.UTC(2026, 10, 22, 12);

function topic(name: string, kind: TopicSpec['kind'], retentionMs: number): TopicSpec {
  const configs = { 'retention.ms': String(retentionMs), 'segment.ms': String(HOUR) };
  return { name, kind, partitions: 1, replicationFactor: 1, configs };
}

const PLAN = [
  topic('hookline.events', 'log', 168 * HOUR),
  topic('hookline.deliveries', 'lane', 100 * HOUR),
  topic('hookline.retry.5s', 'lane', 24 * HOUR),
  topic('hookline.attempts', 'log', 168 * HOUR),
  topic('hookline.dead-letters', 'log', 720 * HOUR),
];

describe('the copies of a payload in the log', () => {
  const event = (hoursAgo: number) => ({ partition: 0, offset: 1, at: NOW - hoursAgo * HOUR });
  const of = (hoursAgo: number, underWay: boolean, deadLettered: boolean, latest: number | null) =>
    logCopies(
      PLAN,
      [event(hoursAgo), event(hoursAgo + 1)],
      { underWay, deadLettered, latest: latest === null ? null : new Date(NOW - latest * HOUR) },
      24 * HOUR,
      NOW,
    ).map(({ topic: name, until }) => [name, (until - NOW - CHECK) / HOUR]);

  it('are in the log of events only where it was delivered to nobody', () => {
    expect(of(2, false, false, null)).toEqual([['hookline.events', 167]]);
  });

  it('may be in each lane, and in what endpoints answered, since the last that happened to a delivery', () => {
    expect(of(2, false, false, 1)).toEqual([
      ['hookline.events', 167],
      ['hookline.deliveries', 100],
      ['hookline.retry.5s', 24],
      ['hookline.attempts', 168],
    ]);
  });

  it('go on for a whole window more while something is under way, and may end as a dead letter', () => {
    expect(of(2, true, false, 1)).toEqual([
      ['hookline.events', 167],
      ['hookline.deliveries', 125],
      ['hookline.retry.5s', 49],
      ['hookline.attempts', 193],
      ['hookline.dead-letters', 745],
    ]);
  });

  it('are no longer named where they are surely gone', () => {
    expect(of(300, false, true, 200)).toEqual([['hookline.dead-letters', 521]]);
  });
});
