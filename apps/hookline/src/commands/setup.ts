import {
  databaseSection,
  deliverySection,
  kafkaSection,
  loadConfig,
  loggingSection,
  pumpSection,
  topicsSection,
} from '@hookline/config';
import { createKafka, ensureTopics, topicPlan } from '@hookline/kafka';
import { createDataSource, migrate, rememberCluster } from '@hookline/persistence';
import { createLogger, type Logger } from '@hookline/platform';
import { clusterThatIsMeant, rememberInLog } from './cluster.js';
import { onceLed } from './once-led.js';

const sections = {
  kafka: kafkaSection,
  pump: pumpSection,
  topics: topicsSection,
  delivery: deliverySection,
  database: databaseSection,
  logging: loggingSection,
};

/**
 * Makes the schema and the topics, or checks them where they are; it may be run again, and by several at once.
 * @throws ConfigError, SchemaTooNew, TopicsUnusable, WrongCluster: then nothing was written, or only the schema
 */
export async function setup(env: NodeJS.ProcessEnv, logger?: Logger): Promise<number> {
  const config = loadConfig(sections, env);
  const log = logger ?? createLogger(config.logging, 'setup');
  const kafka = createKafka(config.kafka, { role: 'setup', logger: log });
  await onceLed(kafka, async (admin) => {
    const cluster = await clusterThatIsMeant(kafka, admin, config);
    const database = createDataSource(config.database);
    await database.initialize();
    try {
      log.info({ migrations: await migrate(database) }, 'the schema is up to date');
      const { topics, delivery } = config;
      await ensureTopics(admin, topicPlan(topics, delivery.retryDelaysMs, delivery.windowMs), log, {
        leaders: topics.leaders,
        accepted: topics.acceptedRisks,
      });
      log.info({}, 'the topics are there');
      await rememberCluster(database, cluster.id);
    } finally {
      await database.destroy();
    }
    if (cluster.inLog !== cluster.id) await rememberInLog(kafka, config.pump, cluster.id, log);
  });
  return 0;
}
