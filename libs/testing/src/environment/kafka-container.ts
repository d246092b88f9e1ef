import { KafkaContainer } from '@testcontainers/kafka';

/** One broker in Docker. From 8.0.0 on the image is KRaft by itself. */
export async function startKafkaContainer(): Promise<{ broker: string; stop(): Promise<void> }> {
  const container = await new KafkaContainer('confluentinc/cp-kafka:8.0.0')
    .withEnvironment({ KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false', KAFKA_LOG_MESSAGE_TIMESTAMP_TYPE: 'LogAppendTime' })
    .start();
  return {
    broker: `${container.getHost()}:${container.getMappedPort(9093)}`,
    stop: async () => void (await container.stop()),
  };
}
