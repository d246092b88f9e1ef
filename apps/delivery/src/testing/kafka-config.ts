import { testKafkaBrokers } from '@hookline/testing';

export const kafkaConfig = () => ({
  brokers: testKafkaBrokers(),
  clientId: 'test',
  tls: false,
  tlsCaFile: undefined,
  tlsCertFile: undefined,
  tlsKeyFile: undefined,
  saslMechanism: 'none' as const,
  saslUsername: undefined,
  saslPassword: undefined,
});
