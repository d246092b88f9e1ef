import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseKafkaSource, EmbeddedKafka } from '@hookline/embedded';
import { BROKERS_VARIABLE } from '../kafka.js';

export interface Running {
  stop(): Promise<void>;
}

/** Starts one broker, in global set-up, and leaves its address in the environment. */
export async function startTestKafka(): Promise<Running> {
  const source = await chooseKafkaSource(say);
  if (source.kind === 'running') return { stop: async () => undefined };
  if (source.kind === 'docker') {
    const { startKafkaContainer } = await import('./kafka-container.js');
    const container = await startKafkaContainer();
    process.env[BROKERS_VARIABLE] = container.broker;
    return container;
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'hookline-kafka-'));
  const kafka = await EmbeddedKafka.start({ dataDir, brokers: 1, source });
  process.env[BROKERS_VARIABLE] = kafka.brokers.join();
  return {
    stop: async () => {
      await kafka.stop('SIGKILL');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

const say = (line: string): void => void process.stderr.write(`Kafka: ${line}\n`);
