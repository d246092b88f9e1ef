import kafkajs, { type Cluster, type Consumer, type Kafka } from 'kafkajs';

/** kafkajs wants a group's name even from a consumer that never joins one; nothing is ever stored under it. */
const GROUPLESS = 'hookline.reader-without-a-group';

/** A connection to the cluster that fetches what it is told to, outside of any group. */
export interface ClusterAccess {
  readonly cluster: Cluster;
  disconnect(): Promise<void>;
}

/**
 * kafkajs has no `assign()`, but it hands its (typed, public) `Cluster` to every partition assigner, and that one
 * can fetch. So a consumer is made for its connections alone: it never joins a group, never commits, and there is
 * nothing to delete on the brokers afterwards.
 */
export async function openCluster(kafka: Kafka, topic: string): Promise<ClusterAccess> {
  let cluster: Cluster | undefined;
  const consumer: Consumer = kafka.consumer({
    groupId: GROUPLESS,
    partitionAssigners: [
      (config) => {
        cluster = config.cluster;
        return kafkajs.PartitionAssigners.roundRobin(config);
      },
    ],
  });
  if (cluster === undefined) throw new Error('kafkajs did not hand out its cluster');
  try {
    await consumer.connect();
    await cluster.addTargetTopic(topic);
  } catch (error) {
    await consumer.disconnect();
    throw error;
  }
  return { cluster, disconnect: () => consumer.disconnect() };
}
