import { loadConfig, kafkaSection, topicsSection } from '@hookline/config';
import { silentLogger, systemClock } from '@hookline/platform';
import { testCopies, testKafkaBrokers, uniqueName } from '@hookline/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Admin } from 'kafkajs';
import { createKafka } from '../client.js';
import { WrongCluster } from './cluster-identity.js';
import { ensureTopics } from './ensure-topics.js';
import { StartCheck, type StartCheckOptions } from './start-check.js';
import { TopicsUnusable } from './topic-difference.js';
import { topicPlan } from './topic-plan.js';
import type { TopicSpec } from './topic-spec.js';

const BROKERS = testKafkaBrokers().join();
/** Nothing listens there. */
const NOWHERE = '127.0.0.1:1';

const topicsOf = (env: NodeJS.ProcessEnv = {}) =>
  loadConfig({ topics: topicsSection }, { ...testCopies(), ...env }).topics;
const kafkaAt = (brokers: string) =>
  createKafka(loadConfig({ kafka: kafkaSection }, { KAFKA_BROKERS: brokers }).kafka, {
    role: 'check-test',
    logger: silentLogger,
  });

describe("a role's look at Kafka before it begins", () => {
  const prefix = uniqueName('check');
  const plan: TopicSpec[] = topicPlan(topicsOf(), [])
    .slice(0, 1)
    .map((spec) => ({ ...spec, name: `${prefix}.${spec.name}`, partitions: 1 }));
  const stricter = plan.map((spec) => ({ ...spec, replicationFactor: spec.replicationFactor + 1 }));
  let admin: Admin;

  beforeAll(async () => {
    admin = kafkaAt(BROKERS).admin();
    await admin.connect();
    await ensureTopics(admin, plan, silentLogger);
  });
  afterAll(() => admin.disconnect());

  const check = (change: Partial<StartCheckOptions> = {}): StartCheck =>
    new StartCheck({
      kafka: kafkaAt(BROKERS),
      topics: topicsOf(),
      plan,
      clock: systemClock,
      logger: silentLogger,
      ...change,
    });

  it('passes where all is as configured, and where a topic is not there yet', async () => {
    expect(await check().pass()).toBe(true);
    const missing = plan.map((spec) => ({ ...spec, name: uniqueName('missing') }));
    expect(await check({ plan: missing }).pass()).toBe(true);
    expect(await admin.listTopics()).not.toContain(missing[0]?.name);
  });

  it('refuses topics with fewer copies than configured, until that is accepted by its name', async () => {
    await expect(check({ plan: stricter }).pass()).rejects.toThrow(TopicsUnusable);
    await expect(check({ plan: stricter }).pass()).rejects.toThrow(
      `HOOKLINE_ACCEPT_TOPIC_RISKS=${prefix}.hookline.events/replication.factor`,
    );
    const topics = topicsOf({ HOOKLINE_ACCEPT_TOPIC_RISKS: 'replication.factor' });
    expect(await check({ plan: stricter, topics }).pass()).toBe(true);
  });

  it('refuses another cluster than the one that is named, or that the database remembers', async () => {
    await expect(check({ topics: topicsOf({ HOOKLINE_KAFKA_CLUSTER_ID: 'other' }) }).pass()).rejects.toThrow(
      WrongCluster,
    );
    await expect(check({ inDatabase: async () => ({ id: 'other' }) }).pass()).rejects.toThrow(
      /the database says other/,
    );
    const { clusterId } = await admin.describeCluster();
    expect(await check({ inDatabase: async () => ({ id: clusterId }) }).pass()).toBe(true);
  });

  it('a role that starts while the database is away asks it later, and refuses to go on with one of another cluster', async () => {
    let remembered: { id: string | undefined } | undefined;
    let asked = 0;
    const inDatabase = async () => {
      asked += 1;
      return asked > 2 ? remembered : undefined;
    };
    remembered = { id: 'other' };
    const wrong = check({ inDatabase });
    expect(await wrong.pass()).toBe(true);
    await expect(wrong.compared()).rejects.toThrow(/the database says other/);

    asked = 0;
    remembered = { id: undefined };
    const fresh = check({ inDatabase });
    expect(await fresh.pass()).toBe(true);
    expect(await fresh.compared()).toBe(true);
    expect(asked).toBe(3);
  });

  it('waits for a database that stays away until it is stopped, and not at all where a role has none', async () => {
    const away = check({ inDatabase: async () => undefined });
    expect(await away.pass()).toBe(true);
    const compared = away.compared();
    away.stop();
    expect(await compared).toBe(false);
    const without = check();
    await without.pass();
    expect(await without.compared()).toBe(true);
  });

  it('waits for a Kafka that is away, and ends when it is stopped', async () => {
    const waiting = check({ kafka: kafkaAt(NOWHERE) });
    const passed = waiting.pass();
    waiting.stop();
    expect(await passed).toBe(false);
  });
});
