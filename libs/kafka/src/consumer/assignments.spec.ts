import { beforeEach, describe, expect, it } from '@jest/globals';
import { TestClock } from '@hookline/testing';
import type { Kafka } from 'kafkajs';
import { Assignments } from './assignments.js';
import type { Batch, GroupSession } from './group-session.js';
import { Intake } from './intake.js';
import { OwnedPartition } from './owned-partition.js';
import { OwnedPartitions } from './owned-partitions.js';
import { runnerSettings, type RunnerOptions } from './runner-options.js';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('a partition that may rest', () => {
  let partition: OwnedPartition;
  let assignments: Assignments;
  let told: string[];
  const session = {} as GroupSession;

  beforeEach(() => {
    told = [];
    const owned = new OwnedPartitions();
    partition = new OwnedPartition('t', 0, { records: 1_000, bytes: 1e6 }, false);
    partition.restore({ watermark: 0, start: 0, end: 0 }, { complete: [], remainders: [] });
    partition.pauses.delete('restoring');
    owned.add(partition);
    const fetching = { pause: () => void told.push('paused'), resume: () => void told.push('resumed') };
    const intake = new Intake(owned, 1_000, { fetching: () => fetching, mayGive: () => true, give: () => undefined });
    const options: RunnerOptions = {
      kafka: {} as Kafka,
      groupId: 'g',
      topics: ['t'],
      handler: () => [],
      clock: new TestClock(),
      logger: quiet,
      mayRest: () => true,
    };
    assignments = new Assignments(options, runnerSettings(options), {}, owned, intake, () => session);
    intake.apply(partition);
  });

  /** @param end the offset that the next record of the log gets */
  function fetched(records: number, end: number): void {
    const from = partition.fetchFrom;
    const messages = Array.from({ length: records }, (_, n) => ({
      offset: String(from + n),
      timestamp: '1',
      key: null,
      value: null,
    }));
    const batch = { topic: 't', partition: 0, fetchedOffset: String(from), highWatermark: String(end), messages };
    assignments.take(session, batch as unknown as Batch);
  }

  it('is fetched on while more of it is in the log, rests at its end, and is looked at again', () => {
    fetched(3, 5);
    expect(told).toEqual(['resumed']);
    fetched(2, 5);
    expect(told).toEqual(['resumed', 'paused']);
    assignments.wakeResting();
    expect(told).toEqual(['resumed', 'paused', 'resumed']);
    fetched(1, 6);
    expect(told.at(-1)).toBe('paused');
  });
});
