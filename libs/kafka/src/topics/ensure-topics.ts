import { setTimeout } from 'node:timers/promises';
import { retryDelayOf } from '@hookline/contracts';
import { compareTopic } from './compare-topic.js';
import { ledByOne } from './led-by-one.js';
import { lanePartitions } from './lane-partitions.js';
import { planFaults } from './plan-faults.js';
import { readTopics, type TopicAdmin } from './read-topics.js';
import { offsetsRetention } from './offsets-retention.js';
import { dangersAmong, describeDifference, TopicsUnusable, type TopicDifference } from './topic-difference.js';
import type { LeaderPlacement } from '@hookline/config';
import type { TopicSpec } from './topic-spec.js';

/** Where the keeper says what it did. */
export interface TopicLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

export interface EnsureTopicsOptions {
  /** Tells lanes that are there but not in the plan: retry topics whose delay is no longer written. */
  isLane?: (topic: string) => boolean;
  /** Who leads what is made; what is there stays as it is. */
  leaders?: LeaderPlacement;
  /** Risks that are known and taken, as in {@link dangersAmong}. */
  accepted?: readonly string[];
}

const CREATE_TIMEOUT_MS = 25_000;
const MAX_LAPS = 20;
const LAP_PAUSE_MS = 500;

/**
 * Makes the topics that are missing and compares those that are there with the plan; changes nothing that is there.
 * Several processes may do it at once.
 * @returns the differences that can be lived with; each is logged as a warning
 * @throws TopicsUnusable with every dangerous difference at once; nothing is made then
 */
export async function ensureTopics(
  admin: TopicAdmin,
  plan: readonly TopicSpec[],
  log: TopicLog,
  options: EnsureTopicsOptions = {},
): Promise<TopicDifference[]> {
  const { leaders = 'spread' } = options;
  for (let lap = 1; ; lap += 1) {
    const { missing, differences, brokers } = await checkTopics(admin, plan, options);
    if (missing.length === 0 || (await create(admin, missing, leaders === 'together' ? brokers : undefined))) {
      await untilLed(admin, missing);
      if (missing.length > 0) log.info({ topics: missing.map((spec) => spec.name) }, 'topics made');
      for (const difference of differences) log.warn({ difference }, describeDifference(difference));
      return differences;
    }
    // another process was quicker, perhaps with other settings: look again, once every broker knows of its topics
    if (lap === MAX_LAPS)
      throw new Error(`Topics exist and are not listed: ${missing.map((spec) => spec.name).join(', ')}`);
    await setTimeout(LAP_PAUSE_MS);
  }
}

/** As {@link ensureTopics}, but makes nothing: topics that are missing are not looked at. */
export async function inspectTopics(
  admin: TopicAdmin,
  plan: readonly TopicSpec[],
  log: TopicLog,
  options: EnsureTopicsOptions = {},
): Promise<TopicDifference[]> {
  const there = await admin.listTopics();
  const { differences } = await checkTopics(
    admin,
    plan.filter(({ name }) => there.includes(name)),
    options,
  );
  for (const difference of differences) log.warn({ difference }, describeDifference(difference));
  return differences;
}

async function checkTopics(
  admin: TopicAdmin,
  plan: readonly TopicSpec[],
  { isLane = (topic) => retryDelayOf(topic) !== undefined, accepted = [] }: EnsureTopicsOptions,
) {
  const names = await admin.listTopics();
  const planned = new Map(plan.map((spec) => [spec.name, spec]));
  const actual = await readTopics(
    admin,
    names.filter((name) => planned.has(name) || isLane(name)),
  );
  const there = new Set(actual.map((topic) => topic.name));
  const lanes = lanePartitions(
    plan,
    actual.filter(({ name }) => planned.get(name)?.kind === 'lane' || (!planned.has(name) && isLane(name))),
  );
  const brokers = (await admin.describeCluster()).brokers.map(({ nodeId }) => nodeId);
  const differences = [
    ...planFaults(plan, brokers.length, there),
    ...lanes.differences,
    ...actual.flatMap((topic) => {
      const spec = planned.get(topic.name);
      return spec === undefined ? [] : compareTopic(spec, topic);
    }),
    ...(await offsetsRetention(admin, brokers, plan)),
  ];
  const dangerous = dangersAmong(differences, accepted);
  if (dangerous.length > 0) throw new TopicsUnusable(dangerous);
  const missing = plan
    .filter(({ name }) => !there.has(name))
    .map((spec) => (spec.kind === 'lane' ? { ...spec, partitions: lanes.count ?? spec.partitions } : spec));
  return { missing, differences, brokers };
}

/**
 * @param together the brokers, where the first of them is to lead all
 * @returns false where another process had made some of them
 */
async function create(
  admin: TopicAdmin,
  missing: readonly TopicSpec[],
  together?: readonly number[],
): Promise<boolean> {
  return admin.createTopics({
    timeout: CREATE_TIMEOUT_MS,
    // kafkajs asks any broker at once, and fails where that one has not heard of the topic yet.
    waitForLeaders: false,
    topics: missing.map(({ name, partitions, replicationFactor, configs }) => ({
      topic: name,
      ...(together
        ? {
            numPartitions: -1,
            replicationFactor: -1,
            replicaAssignment: ledByOne(partitions, replicationFactor, together),
          }
        : { numPartitions: partitions, replicationFactor }),
      configEntries: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    })),
  });
}

/** Waits until every broker that is asked knows who leads each partition of the topics. */
async function untilLed(admin: TopicAdmin, made: readonly TopicSpec[]): Promise<void> {
  const names = made.map(({ name }) => name);
  for (let lap = 1; names.length > 0; lap += 1) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: names });
      if (topics.every(({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0)))
        return;
    } catch (error) {
      if (lap >= MAX_LAPS) throw error;
    }
    if (lap >= MAX_LAPS) throw new Error(`Topics were made and are not led after a while: ${names.join(', ')}`);
    await setTimeout(LAP_PAUSE_MS);
  }
}
