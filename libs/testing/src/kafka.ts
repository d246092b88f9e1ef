/** The variable in which global set-up leaves the brokers. */
export const BROKERS_VARIABLE = 'HOOKLINE_TEST_BROKERS';

/**
 * The brokers that integration tests may use: one, or those of `KAFKA_BROKERS`. Topics are not made by themselves;
 * leave the replication factor out (-1) and the brokers' default holds. A test that kills brokers, or needs three,
 * starts its own: `EmbeddedKafka`.
 */
export function testKafkaBrokers(): string[] {
  const brokers = process.env[BROKERS_VARIABLE] ?? process.env['KAFKA_BROKERS'];
  if (!brokers) throw new Error('there is no Kafka: this test belongs to the project integration');
  return brokers.split(',');
}

/** How topics can be replicated on {@link testKafkaBrokers}. */
export function testReplication(): { replicationFactor: number; minInsyncReplicas: number } {
  return testKafkaBrokers().length >= 3
    ? { replicationFactor: 3, minInsyncReplicas: 2 }
    : { replicationFactor: 1, minInsyncReplicas: 1 };
}

/** The same as a role's settings. */
export function testCopies(): Record<string, string> {
  const { replicationFactor, minInsyncReplicas } = testReplication();
  return {
    HOOKLINE_REPLICATION_FACTOR: String(replicationFactor),
    HOOKLINE_MIN_INSYNC_REPLICAS: String(minInsyncReplicas),
  };
}
