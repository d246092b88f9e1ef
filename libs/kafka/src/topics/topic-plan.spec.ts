import { loadConfig, topicsSection } from '@hookline/config';
import { TOPICS } from '@hookline/contracts';
import { describe, expect, it } from '@jest/globals';
import { topicPlan } from './topic-plan.js';

const HOUR_MS = 3_600_000;
const { topics } = loadConfig({ topics: topicsSection }, {});
const plan = topicPlan(topics, [5_000, 4 * HOUR_MS, 4 * HOUR_MS]);
const spec = (name: string) => plan.find((one) => one.name === name);

describe('topicPlan', () => {
  it('has every topic of the contracts once, and one for each distinct delay', () => {
    expect(plan.map((one) => one.name).sort()).toEqual(
      [...Object.values(TOPICS), 'hookline.retry.5s', 'hookline.retry.4h'].sort(),
    );
  });

  it('gives every lane the same number of partitions and every compacted topic one', () => {
    const lanes = plan.filter((one) => one.kind === 'lane');
    expect(lanes.map((one) => one.name)).toEqual([
      'hookline.deliveries',
      'hookline.deliveries.replay',
      'hookline.retry.5s',
      'hookline.retry.4h',
    ]);
    expect(new Set(lanes.map((one) => one.partitions))).toEqual(new Set([topics.lanePartitions]));
    expect(plan.filter((one) => one.kind === 'compacted').map((one) => one.partitions)).toEqual([1, 1, 1]);
  });

  it('goes by the time of the append everywhere, and never elects a leader that is behind', () => {
    for (const { configs } of plan)
      expect(configs).toMatchObject({
        'message.timestamp.type': 'LogAppendTime',
        'unclean.leader.election.enable': 'false',
        'min.insync.replicas': '2',
      });
  });

  it('keeps each topic for its time, in segments short enough that it is let go', () => {
    const days = (n: number) => String(n * 24 * HOUR_MS);
    expect(spec('hookline.events')?.configs['retention.ms']).toBe(days(7));
    expect(spec('hookline.attempts')?.configs['retention.ms']).toBe(days(7));
    expect(spec('hookline.deliveries')?.configs['retention.ms']).toBe(days(7));
    expect(spec('hookline.dead-letters')?.configs['retention.ms']).toBe(days(30));
    expect(spec('hookline.retry.4h')?.configs).toMatchObject({
      'retention.ms': days(1),
      'segment.ms': String(HOUR_MS),
      'cleanup.policy': 'delete',
    });
    expect(spec('hookline.subscriptions')?.configs).toMatchObject({ 'cleanup.policy': 'compact' });
    expect(spec('hookline.subscriptions')?.configs).not.toHaveProperty('retention.ms');
  });
});
