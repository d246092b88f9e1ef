import { loadConfig, topicsSection } from '@hookline/config';
import { createTopics, testKafkaBrokers, testReplication, uniqueName } from '@hookline/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { ensureTopics, type TopicLog } from './ensure-topics.js';
import { readTopics } from './read-topics.js';
import { TopicsUnusable } from './topic-difference.js';
import { topicPlan } from './topic-plan.js';
import type { TopicSpec } from './topic-spec.js';

const silent: TopicLog = { info: () => undefined, warn: () => undefined };
const { topics: defaults } = loadConfig({ topics: topicsSection }, { HOOKLINE_LANE_PARTITIONS: '2' });
const made = new Set<string>();
let admin: Admin;

beforeAll(async () => {
  admin = new Kafka({ brokers: testKafkaBrokers(), connectionTimeout: 10_000, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
});

afterAll(async () => {
  const there = await admin.listTopics();
  await admin.deleteTopics({ topics: there.filter((topic) => made.has(topic)) });
  await admin.disconnect();
});

/** The plan under names of its own, with as many copies as this cluster can hold. */
function planFor(prefix: string, change: Partial<typeof defaults> = {}, delaysMs = [5_000]): TopicSpec[] {
  const plan = topicPlan(
    { ...defaults, ...testReplication(), eventPartitions: 2, attemptPartitions: 1, ...change },
    delaysMs,
  );
  const named = plan.map((spec) => ({ ...spec, name: prefix + spec.name }));
  for (const { name } of named) made.add(name);
  return named;
}

const isLaneOf = (prefix: string) => ({ isLane: (topic: string) => topic.startsWith(`${prefix}hookline.retry.`) });

describe('ensureTopics', () => {
  it('makes every topic as planned, also when two do it at once, and finds nothing to say the next time', async () => {
    const prefix = `${uniqueName('keeper')}.`;
    const plan = planFor(prefix);
    await Promise.all([
      ensureTopics(admin, plan, silent, isLaneOf(prefix)),
      ensureTopics(admin, plan, silent, isLaneOf(prefix)),
    ]);

    const actual = await readTopics(
      admin,
      plan.map((spec) => spec.name),
    );
    expect(actual.length).toBe(plan.length);
    for (const spec of plan) {
      const topic = actual.find(({ name }) => name === spec.name);
      expect(topic).toMatchObject({ partitions: spec.partitions, replicationFactor: spec.replicationFactor });
      expect(topic?.configs).toMatchObject(spec.configs);
    }
    expect(await ensureTopics(admin, plan, silent, isLaneOf(prefix))).toEqual([]);
  });

  it('gives a new lane the count of the lanes that are there', async () => {
    const prefix = `${uniqueName('keeper')}.`;
    await ensureTopics(admin, planFor(prefix), silent, isLaneOf(prefix));
    const differences = await ensureTopics(
      admin,
      planFor(prefix, { lanePartitions: 5 }, [7_000]),
      silent,
      isLaneOf(prefix),
    );
    const [added] = await readTopics(admin, [`${prefix}hookline.retry.7s`]);
    expect(added?.partitions).toBe(2);
    expect(differences.map((one) => [one.topic, one.dangerous])).toContainEqual([`${prefix}hookline.retry.5s`, false]);
  });

  it('names every danger at once, and makes nothing then', async () => {
    const prefix = `${uniqueName('keeper')}.`;
    const plan = planFor(prefix);
    await createTopics(admin, [
      {
        topic: `${prefix}hookline.events`,
        numPartitions: 2,
        replicationFactor: testReplication().replicationFactor,
        configEntries: [{ name: 'message.timestamp.type', value: 'CreateTime' }],
      },
      {
        topic: `${prefix}hookline.retry.5s`,
        numPartitions: 2,
        replicationFactor: testReplication().replicationFactor,
        configEntries: [
          { name: 'message.timestamp.type', value: 'LogAppendTime' },
          { name: 'retention.ms', value: '4999' },
        ],
      },
      {
        topic: `${prefix}hookline.deliveries`,
        numPartitions: 3,
        replicationFactor: testReplication().replicationFactor,
      },
    ]);

    const refused = await ensureTopics(admin, plan, silent, isLaneOf(prefix)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(TopicsUnusable);
    const found = (refused as TopicsUnusable).differences.map(
      ({ topic, what }) => `${topic.slice(prefix.length)} ${what}`,
    );
    expect(found).toEqual(
      expect.arrayContaining([
        'hookline.events message.timestamp.type',
        'hookline.retry.5s retention.ms',
        'hookline.retry.5s partitions',
        'hookline.deliveries partitions',
      ]),
    );
    expect(await admin.listTopics()).not.toContain(`${prefix}hookline.attempts`);
  });
});
