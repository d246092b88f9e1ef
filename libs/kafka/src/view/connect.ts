import type { KafkaConfig } from '@hookline/config';
import type { Kafka } from 'kafkajs';
import { createKafka, type KafkaOptions } from '../client.js';

/**
 * A client for each session, whose first broker is another one each time: kafkajs always begins with the first of its
 * list, and stays with it for as long as it accepts connections, even if it never answers.
 */
export function brokersInTurn(config: KafkaConfig, options: KafkaOptions): (session: number) => Kafka {
  return (session) => {
    const first = session % config.brokers.length;
    return createKafka(
      { ...config, brokers: [...config.brokers.slice(first), ...config.brokers.slice(0, first)] },
      options,
    );
  };
}
