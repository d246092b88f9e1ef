import type { DatabaseConfig, PumpConfig, TopicsConfig } from '@hookline/config';
import { CLUSTER_KEY, encodeProgress, TOPICS, type ClusterRecord } from '@hookline/contracts';
import { assertCluster, ProducerPump, ProgressReader } from '@hookline/kafka';
import { rememberedCluster } from '@hookline/persistence';
import { systemClock, type Logger } from '@hookline/platform';
import type { Admin, Kafka } from 'kafkajs';

const DRAIN_MS = 5_000;
const WRITE_MS = 30_000;

/**
 * The cluster that answers.
 * @returns its id, and the one that its own topics remember
 * @throws WrongCluster where the database or the topics remember another; SchemaTooNew
 */
export async function clusterThatIsMeant(
  kafka: Kafka,
  admin: Admin,
  config: { topics: TopicsConfig; database: DatabaseConfig },
): Promise<{ id: string; inLog: string | undefined }> {
  const { clusterId: id } = await admin.describeCluster();
  const inDatabase = (await rememberedCluster(config.database))?.id;
  const inLog = await clusterInLog(kafka, admin);
  assertCluster(id, config.topics.clusterId, { 'the database': inDatabase, 'hookline.progress': inLog });
  return { id, inLog };
}

/** For the roles that have no database. */
export async function rememberInLog(kafka: Kafka, settings: PumpConfig, id: string, logger: Logger): Promise<void> {
  const pump = new ProducerPump({ kafka, clock: systemClock, logger }, { ...settings, maxBufferedBytes: 1_048_576 });
  try {
    const value = encodeProgress({ v: 1, clusterId: id });
    await pump.produce({ topic: TOPICS.progress, key: CLUSTER_KEY, value }, WRITE_MS);
  } finally {
    await pump.stop({ drainMs: DRAIN_MS });
  }
}

async function clusterInLog(kafka: Kafka, admin: Admin): Promise<string | undefined> {
  if (!(await admin.listTopics()).includes(TOPICS.progress)) return undefined;
  const entries = await new ProgressReader<ClusterRecord>(kafka, CLUSTER_KEY).catchUp(admin);
  return entries.get(CLUSTER_KEY)?.record.clusterId;
}
