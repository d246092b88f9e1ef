import { dockerHasKafka } from './docker-brokers.js';
import { StartError } from '../start-error.js';
import { findJava, kafkaClassPath } from './kafka-jars.js';

/** Where brokers come from, in this order. */
export type KafkaSource =
  { kind: 'running'; brokers: string[] } | { kind: 'docker' } | { kind: 'jvm'; java: string; classPath: string };

/**
 * What runs already (`KAFKA_BROKERS`), else Docker, else Java and Maven.
 * @param madeBy what made the data that is there: it is taken again, whatever else is possible now
 * @throws StartError that says what to do, if none of them can be had
 */
export async function chooseKafkaSource(
  onProgress: (line: string) => void,
  madeBy?: 'docker' | 'jvm',
  env: NodeJS.ProcessEnv = process.env,
): Promise<KafkaSource> {
  const brokers = env['KAFKA_BROKERS']?.split(',').filter((address) => address !== '');
  if (brokers?.length) return { kind: 'running', brokers };
  if (madeBy !== 'jvm' && (await dockerHasKafka(onProgress))) return { kind: 'docker' };
  if (madeBy === 'docker')
    throw new StartError(
      'This data was made in Docker, and no Docker daemon answers: start it, or use another --data.',
    );
  const java = findJava(env);
  return { kind: 'jvm', java, classPath: await kafkaClassPath(onProgress, env) };
}
