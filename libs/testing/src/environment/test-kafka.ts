import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseKafkaSource, EmbeddedKafka } from '@hookline/embedded';
import { brokersVariable, type Cluster } from '../kafka.js';
import { serveBrokerControl } from './broker-control-server.js';

export interface Running {
  stop(): Promise<void>;
}

/** Starts a cluster for one of Jest's projects, in global set-up, and leaves its brokers in the environment. */
export async function startTestKafka(cluster: Cluster, brokers: 1 | 3): Promise<Running> {
  const source = await chooseKafkaSource(say);
  if (source.kind === 'running') return { stop: async () => undefined };
  if (source.kind === 'docker' && brokers === 1) {
    const { startKafkaContainer } = await import('./kafka-container.js');
    const container = await startKafkaContainer();
    process.env[brokersVariable(cluster)] = container.broker;
    return container;
  }
  const dataDir = mkdtempSync(join(tmpdir(), `hookline-${cluster}-`));
  const kafka = await EmbeddedKafka.start({ dataDir, brokers, source, shortLived: true });
  const control = await serveBrokerControl(kafka);
  process.env[brokersVariable(cluster)] = kafka.brokers.join();
  process.env['HOOKLINE_TEST_BROKER_CONTROL'] = control.url;
  return {
    stop: async () => {
      await control.stop();
      await kafka.stop('SIGKILL');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

const say = (line: string): void => void process.stderr.write(`Kafka: ${line}\n`);
