import {
  databaseSection,
  deliverySection,
  kafkaSection,
  loadConfig,
  loggingSection,
  topicsSection,
} from '@hookline/config';
import { createKafka, ensureTopics, topicPlan } from '@hookline/kafka';
import { createDataSource, migrate } from '@hookline/persistence';
import { createLogger, type Logger } from '@hookline/platform';

const sections = {
  kafka: kafkaSection,
  topics: topicsSection,
  delivery: deliverySection,
  database: databaseSection,
  logging: loggingSection,
};

/**
 * Makes the schema and the topics, or checks them where they are; it may be run again, and by several at once.
 * @throws ConfigError, SchemaTooNew, TopicsUnusable
 */
export async function setup(env: NodeJS.ProcessEnv, logger?: Logger): Promise<number> {
  const config = loadConfig(sections, env);
  const log = logger ?? createLogger(config.logging, 'setup');

  const database = createDataSource(config.database);
  await database.initialize();
  try {
    log.info({ migrations: await migrate(database) }, 'the schema is up to date');
  } finally {
    await database.destroy();
  }

  const admin = createKafka(config.kafka, { role: 'setup', logger: log }).admin();
  await admin.connect();
  try {
    await ensureTopics(admin, topicPlan(config.topics, config.delivery.retryDelaysMs), log, {
      leaders: config.topics.leaders,
    });
    log.info({}, 'the topics are there');
  } finally {
    await admin.disconnect();
  }
  return 0;
}
