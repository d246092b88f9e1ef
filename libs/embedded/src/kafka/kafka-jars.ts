import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../project-root.js';
import { StartError } from '../start-error.js';

const OLDEST_JAVA = 17;
const WAYS_OUT = 'start Docker, or name a running Kafka in KAFKA_BROKERS';

/** The `java` to run brokers with. @throws StartError if there is none, or it is too old */
export function findJava(env: NodeJS.ProcessEnv = process.env): string {
  const home = env['JAVA_HOME'];
  const java = home ? join(home, 'bin', 'java') : 'java';
  const { stderr, stdout, error } = spawnSync(java, ['-version'], { encoding: 'utf8', env });
  if (error)
    throw new StartError(
      `Kafka needs Java ${OLDEST_JAVA} or later, and ${home ? `JAVA_HOME (${home}) has no bin/java` : 'no java is on the path'}: install it (e.g. apt-get install openjdk-17-jre-headless), ${WAYS_OUT}.`,
    );
  const version = /version "(?:1\.)?(\d+)/.exec(`${stderr}${stdout}`)?.[1];
  if (version !== undefined && Number(version) < OLDEST_JAVA)
    throw new StartError(
      `Kafka needs Java ${OLDEST_JAVA} or later, and ${java} is Java ${version}: install a newer one, ${WAYS_OUT}.`,
    );
  return java;
}

/**
 * The class path of Kafka, fetched through Maven once for each version and kept in the checkout.
 * @throws StartError without Maven, or if it can't fetch
 */
export async function kafkaClassPath(
  onProgress: (line: string) => void,
  env: NodeJS.ProcessEnv = process.env,
  cache = join(projectRoot(), '.hookline', 'cache'),
): Promise<string> {
  const root = projectRoot();
  const pom = join(root, 'libs', 'embedded', 'kafka', 'pom.xml');
  const hash = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  const target = join(cache, `kafka-${hash}`);
  if (!existsSync(target)) {
    onProgress('fetching its jars through Maven (45 MB, once)');
    await fetchJars(pom, target, env);
  }
  return join(target, '*');
}

/** Into a folder of its own first: one that was interrupted is never taken for a whole one. */
async function fetchJars(pom: string, target: string, env: NodeJS.ProcessEnv): Promise<void> {
  const partial = `${target}.${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  try {
    const goal = [
      '-B',
      '-f',
      pom,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${partial}`,
      '-DincludeScope=runtime',
    ];
    await mvn(goal, env);
    renameSync(partial, target);
  } catch (error) {
    if (!existsSync(target)) throw error; // else another start was quicker
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

function mvn(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('mvn', args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', () =>
      reject(
        new StartError(
          `Kafka's jars come through Maven, and no mvn is on the path: install it (e.g. apt-get install maven), ${WAYS_OUT}.`,
        ),
      ),
    );
    child.once('close', (code) => {
      const why =
        output
          .split('\n')
          .find((line) => line.startsWith('[ERROR]'))
          ?.slice(8, 400) ?? `it ended with ${code}`;
      if (code === 0) resolve();
      else reject(new StartError(`Maven could not fetch Kafka (${why}): check the network, ${WAYS_OUT}.`));
    });
  });
}
