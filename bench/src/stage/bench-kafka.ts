import { createKafka } from '@hookline/kafka';
import type { Kafka } from 'kafkajs';
import type { Stage } from './stage.js';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A client of the stage's brokers. */
export function benchKafka(stage: Stage): Kafka {
  const plain = { tls: false, tlsCaFile: undefined, tlsCertFile: undefined, tlsKeyFile: undefined } as const;
  const login = { saslMechanism: 'none', saslUsername: undefined, saslPassword: undefined } as const;
  return createKafka(
    { brokers: stage.brokers, clientId: 'hookline', ...plain, ...login },
    { role: 'bench', logger: quiet },
  );
}
