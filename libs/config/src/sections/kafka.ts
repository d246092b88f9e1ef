import { section } from '../load.js';
import { choice, flag, list, optionalText, text } from '../setting.js';

export interface KafkaConfig {
  brokers: string[];
  clientId: string;
  tls: boolean;
  tlsCaFile: string | undefined;
  tlsCertFile: string | undefined;
  tlsKeyFile: string | undefined;
  saslMechanism: 'none' | 'plain' | 'scram-sha-256' | 'scram-sha-512';
  saslUsername: string | undefined;
  saslPassword: string | undefined;
}

export const kafkaSection = section<KafkaConfig>('Kafka', {
  brokers: list('KAFKA_BROKERS', 'Where to find Kafka first: host:port.'),
  clientId: text('KAFKA_CLIENT_ID', 'The name that the brokers see.', { default: 'hookline' }),
  tls: flag('KAFKA_TLS', 'Speak TLS to the brokers.', { default: false }),
  tlsCaFile: optionalText('KAFKA_TLS_CA_FILE', 'A file with the certificate authority, PEM.'),
  tlsCertFile: optionalText('KAFKA_TLS_CERT_FILE', "A file with the client's certificate, PEM."),
  tlsKeyFile: optionalText('KAFKA_TLS_KEY_FILE', "A file with the client's private key, PEM."),
  saslMechanism: choice('KAFKA_SASL_MECHANISM', 'How to log in.', ['none', 'plain', 'scram-sha-256', 'scram-sha-512'], {
    default: 'none',
  }),
  saslUsername: optionalText('KAFKA_SASL_USERNAME', 'The user to log in as.'),
  saslPassword: optionalText('KAFKA_SASL_PASSWORD', "That user's password.", { secret: true }),
});
