import type { Clock, Logger } from '@hookline/platform';
import type { Kafka } from 'kafkajs';
import { lanePartitions, laneTopics, missingTopics } from './lane-topics.js';

const PAUSE_MS = 1_000;

export interface ExistingLanes {
  topics: string[];
  /** How many each of them has. */
  partitions: number;
}

/** The lanes that exist, as soon as all that a worker needs does; undefined if it is stopped meanwhile. */
export async function existingLanes(
  kafka: Kafka,
  retryDelaysMs: readonly number[],
  isStopping: () => boolean,
  clock: Clock,
  logger: Logger,
): Promise<ExistingLanes | undefined> {
  while (!isStopping()) {
    try {
      const lanes = await look(kafka, retryDelaysMs, logger);
      if (lanes !== undefined) return isStopping() ? undefined : lanes;
    } catch (error) {
      logger.warn({ err: error }, 'the lanes could not be read; it is tried again');
    }
    await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve));
  }
  return undefined;
}

/** @returns undefined while a topic is missing */
async function look(
  kafka: Kafka,
  retryDelaysMs: readonly number[],
  logger: Logger,
): Promise<ExistingLanes | undefined> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const existing = await admin.listTopics();
    const missing = missingTopics(existing, retryDelaysMs);
    if (missing.length > 0) {
      logger.warn({ missing }, 'topics are missing; run the setup');
      return undefined;
    }
    const topics = laneTopics(existing);
    return { topics, partitions: lanePartitions(await admin.fetchTopicMetadata({ topics })) };
  } finally {
    await admin.disconnect();
  }
}
