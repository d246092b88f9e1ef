import {
  ConfigError,
  kafkaSection,
  loadConfig,
  loggingSection,
  publishSection,
  pumpSection,
  sourcesSection,
} from '@hookline/config';
import { TOPICS } from '@hookline/contracts';
import { createKafka, ProducerPump } from '@hookline/kafka';
import { createLogger, systemClock } from '@hookline/platform';
import { readDefinitions } from './definitions.js';
import { redriveSource, type Redriven } from './redrive.js';

const sections = {
  kafka: kafkaSection,
  publish: publishSection,
  pump: pumpSection,
  sources: sourcesSection,
  logging: loggingSection,
};

/**
 * `hookline redrive-source`: tries the dead letters of one source again, with the relay's own settings.
 * @param origins only these, as topic:partition:offset; empty: all
 * @throws ConfigError, also when no source has this name
 */
export async function redriveCommand(
  env: NodeJS.ProcessEnv,
  name: string,
  origins: readonly string[],
): Promise<Redriven> {
  const config = loadConfig(sections, env);
  const { sources, faults } = readDefinitions(config.sources);
  if (faults.length > 0) throw new ConfigError(faults);
  const source = sources.find((each) => each.name === name);
  if (source === undefined) throw new ConfigError([`there is no source ${name} in HOOKLINE_SOURCES or its file`]);
  const logger = createLogger(config.logging, 'redrive-source');
  const kafka = createKafka(config.kafka, { role: 'redrive-source', logger });
  const { maxBufferedBytes, deadlineMs } = config.publish;
  const output = new ProducerPump({ kafka, clock: systemClock, logger }, { ...config.pump, maxBufferedBytes });
  await output.start([TOPICS.events, TOPICS.deadLetters]);
  try {
    const asked = origins.length === 0 ? undefined : new Set(origins);
    return await redriveSource(source, { kafka, output, publish: config.publish }, asked);
  } finally {
    await output.stop({ drainMs: deadlineMs });
  }
}
