import {
  databaseSection,
  deliverySection,
  kafkaSection,
  loadConfig,
  loggingSection,
  pumpSection,
  topicsSection,
} from '@hookline/config';
import { createKafka, ensureTopics, inspectTopics, topicPlan } from '@hookline/kafka';
import { createDataSource, migrate, rememberCluster } from '@hookline/persistence';
import { createLogger, silentLogger, type Logger } from '@hookline/platform';
import { clusterThatIsMeant, rememberInLog } from './cluster.js';
import { onceLed } from './once-led.js';
import { assertOurRecords } from './our-records.js';

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
 * @throws ConfigError, SchemaTooNew, WrongCluster; Refusal where topics have somebody else's records; TopicsUnusable: nothing was
 * written then, or only the schema where the topics that are still to be made can't be made as configured
 */
export async function setup(env: NodeJS.ProcessEnv, logger?: Logger): Promise<number> {
  const config = loadConfig(sections, env);
  const log = logger ?? createLogger(config.logging, 'setup');
  const kafka = createKafka(config.kafka, { role: 'setup', logger: log });
  await onceLed(kafka, async (admin) => {
    const cluster = await clusterThatIsMeant(kafka, admin, config);
    await assertOurRecords(kafka, admin);
    const { topics, delivery } = config;
    const plan = topicPlan(topics, delivery.retryDelaysMs, delivery.windowMs);
    // What is said of those that are there is said below.
    await inspectTopics(admin, plan, silentLogger, { accepted: topics.acceptedRisks });
    const database = createDataSource(config.database);
    await database.initialize();
    try {
      log.info({ migrations: await migrate(database) }, 'the schema is up to date');
      await ensureTopics(admin, plan, log, {
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
