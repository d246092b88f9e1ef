import { loadConfig, topicsSection } from '@hookline/config';
import { describe, expect, it } from '@jest/globals';
import { compareTopic } from './compare-topic.js';
import { lanePartitions } from './lane-partitions.js';
import { planFaults } from './plan-faults.js';
import { topicPlan } from './topic-plan.js';
import type { ActualTopic, TopicSpec } from './topic-spec.js';

const { topics } = loadConfig({ topics: topicsSection }, {});
const plan = topicPlan(topics, [5_000, 14_400_000]);
const named = (name: string): TopicSpec => plan.find((spec) => spec.name === name) as TopicSpec;

function actual(name: string, change: Partial<ActualTopic> = {}, configs: Record<string, string> = {}): ActualTopic {
  const { partitions, replicationFactor, configs: planned } = named(name);
  return { name, partitions, replicationFactor, ...change, configs: { ...planned, ...configs } };
}

describe('compareTopic', () => {
  it('finds nothing in a topic that is as planned', () => {
    expect(plan.flatMap((spec) => compareTopic(spec, actual(spec.name)))).toEqual([]);
  });

  it.each([
    ['hookline.events', {}, { 'message.timestamp.type': 'CreateTime' }, 'message.timestamp.type'],
    ['hookline.events', { replicationFactor: 1 }, {}, 'replication.factor'],
    ['hookline.events', {}, { 'min.insync.replicas': '1' }, 'min.insync.replicas'],
    ['hookline.events', {}, { 'unclean.leader.election.enable': 'true' }, 'unclean.leader.election.enable'],
    ['hookline.subscriptions', {}, { 'cleanup.policy': 'delete' }, 'cleanup.policy'],
    ['hookline.subscriptions', { partitions: 3 }, {}, 'partitions'],
    ['hookline.retry.4h', {}, { 'retention.ms': '14399999' }, 'retention.ms'],
  ])('calls it dangerous: %s %j %j', (name, change, configs, what) => {
    expect(compareTopic(named(name), actual(name, change, configs))).toMatchObject([
      { topic: name, what, dangerous: true },
    ]);
  });

  it.each([
    ['hookline.events', { partitions: 24 }, {}, 'partitions'],
    ['hookline.events', {}, { 'retention.ms': '-1' }, 'retention.ms'],
    ['hookline.retry.4h', {}, { 'retention.ms': '14400000' }, 'retention.ms'],
    ['hookline.events', {}, { 'max.message.bytes': '1000' }, 'max.message.bytes'],
  ])('can live with it: %s %j %j', (name, change, configs, what) => {
    expect(compareTopic(named(name), actual(name, change, configs))).toMatchObject([
      { topic: name, what, dangerous: false },
    ]);
  });

  it('has nothing against more copies than asked for', () => {
    expect(compareTopic(named('hookline.events'), actual('hookline.events', { replicationFactor: 5 }))).toEqual([]);
  });
});

describe('lanePartitions', () => {
  it('is the planned count where no lane is there', () => {
    expect(lanePartitions(plan, [])).toEqual({ count: 32, differences: [] });
  });

  it('is the count of the lanes that are there, whatever is planned', () => {
    const { count, differences } = lanePartitions(plan, [actual('hookline.deliveries', { partitions: 3 })]);
    expect(count).toBe(3);
    expect(differences).toMatchObject([{ topic: 'hookline.deliveries', what: 'partitions', dangerous: false }]);
  });

  it('is dangerous where lanes differ, also by a tier that is no longer written', () => {
    const old: ActualTopic = { ...actual('hookline.deliveries'), name: 'hookline.retry.1m', partitions: 3 };
    const { differences } = lanePartitions(plan, [actual('hookline.deliveries'), old]);
    expect(differences.map(({ topic, dangerous }) => [topic, dangerous])).toEqual([
      ['hookline.deliveries', true],
      ['hookline.retry.1m', true],
    ]);
  });
});

describe('planFaults', () => {
  const faults = (change: Partial<typeof topics>, brokers = 3) =>
    planFaults(topicPlan({ ...topics, ...change }, [14_400_000]), brokers, new Set(['hookline.events']));

  it('finds nothing in the defaults', () => expect(faults({})).toEqual([]));

  it('refuses a retry topic that would forget before the delay is over', () =>
    expect(faults({ retryRetentionMs: 14_399_999 })).toMatchObject([{ topic: 'hookline.retry.4h', dangerous: true }]));

  it('refuses more in-sync copies than copies', () =>
    expect(faults({ replicationFactor: 1 }).map((fault) => fault.what)).toContain('planned min.insync.replicas'));

  it('refuses more copies than brokers, but only for topics still to be made', () => {
    const refused = faults({}, 2).map((fault) => fault.topic);
    expect(refused).toContain('hookline.deliveries');
    expect(refused).not.toContain('hookline.events');
  });
});
