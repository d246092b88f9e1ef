import { kafkaSection, loadConfig, loggingSection, topicsSection } from '@hookline/config';
import { TOPICS } from '@hookline/contracts';
import { assertCluster, createKafka } from '@hookline/kafka';
import { createLogger, Refusal } from '@hookline/platform';

const sections = { kafka: kafkaSection, topics: topicsSection, logging: loggingSection };

/**
 * Gives `hookline.events` more partitions. What that costs is said first, and it is done only with `yes`.
 * @returns the exit code: 1 where nothing was done for want of a yes
 * @throws Refusal where the topic isn't there, or has as many already: it can't have less
 */
export async function growEvents(
  partitions: number,
  yes: boolean,
  env: NodeJS.ProcessEnv,
  say: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<number> {
  const config = loadConfig(sections, env);
  const logger = createLogger(config.logging, 'grow-events');
  const admin = createKafka(config.kafka, { role: 'grow-events', logger }).admin();
  await admin.connect();
  try {
    assertCluster((await admin.describeCluster()).clusterId, config.topics.clusterId, {});
    if (!(await admin.listTopics()).includes(TOPICS.events))
      throw new Refusal(`${TOPICS.events} is not there yet: hookline setup makes it, with HOOKLINE_EVENT_PARTITIONS.`);
    const { topics } = await admin.fetchTopicMetadata({ topics: [TOPICS.events] });
    const now = topics[0]?.partitions.length ?? 0;
    if (partitions <= now)
      throw new Refusal(`${TOPICS.events} has ${now} partitions: it can get more, never less. Nothing was changed.`);
    say(costOf(now, partitions));
    if (!yes) {
      say('Nothing was changed. With --yes it is done.\n');
      return 1;
    }
    await admin.createPartitions({ topicPartitions: [{ topic: TOPICS.events, count: partitions }] });
    say(
      `${TOPICS.events} has ${partitions} partitions now. Set HOOKLINE_EVENT_PARTITIONS=${partitions} for every role.\n`,
    );
    return 0;
  } finally {
    await admin.disconnect();
  }
}

const costOf = (
  now: number,
  then: number,
): string => `${TOPICS.events}: from ${now} to ${then} partitions. It can't be undone, and costs this:
  Order.         A key may get another partition. Its events from before wait in the old one while later ones are read from
                 the new one: for each key the order holds before the change and after it, not across it. An ordered
                 subscription may get an event of after the change before one of before it. To keep the order too: let
                 the publishers pause until hookline_backlog_records of ${TOPICS.events} is 0, then grow, then let them go on.
  Deduplication. An id may get another partition as well, whose owner doesn't know it. An event that is published before the
                 change and again after it, within HOOKLINE_IDEMPOTENCY_WINDOW, is delivered twice (with two webhook-ids).
  Meanwhile.     Ingest, workers and recorders learn of the new partitions by themselves, within five minutes; what is
                 written there meanwhile waits in the log. A replay that runs does not read them.
`;
