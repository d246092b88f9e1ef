export type Cluster = 'integration' | 'e2e';

/** The variable in which global set-up leaves the brokers of a project's cluster. */
export const brokersVariable = (cluster: Cluster): string => `HOOKLINE_TEST_BROKERS_${cluster.toUpperCase()}`;

/**
 * The brokers that this project's tests may use: one in `integration`, three in `e2e`, or those of `KAFKA_BROKERS`.
 * Topics are not made by themselves; leave the replication factor out (-1) and the brokers' default holds.
 */
export function testKafkaBrokers(): string[] {
  const cluster = (globalThis as { HOOKLINE_TEST_CLUSTER?: Cluster }).HOOKLINE_TEST_CLUSTER ?? 'integration';
  const brokers = process.env[brokersVariable(cluster)] ?? process.env['KAFKA_BROKERS'];
  if (!brokers) throw new Error('there is no Kafka: this test belongs to the project integration or e2e');
  return brokers.split(',');
}

/** How topics can be replicated on {@link testKafkaBrokers}. */
export function testReplication(): { replicationFactor: number; minInsyncReplicas: number } {
  return testKafkaBrokers().length >= 3
    ? { replicationFactor: 3, minInsyncReplicas: 2 }
    : { replicationFactor: 1, minInsyncReplicas: 1 };
}
