import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import type { Exit } from '../process/guarded-process.js';
import { StartError } from '../start-error.js';
import type { BrokerHost, ClusterLayout, RunningBroker } from './broker-host.js';
import { brokerProperties } from './broker-properties.js';

const run = promisify(execFile);

export const KAFKA_IMAGE = 'apache/kafka:4.1.1';
const CLIENTS = 9092;
const BROKERS = 9094;
const CONTROLLERS = 9093;
const DATA = '/var/lib/kafka/data';

/** Whether a Docker daemon answers and has, or can pull, Kafka's image. A client alone is common, and no use. */
export async function dockerHasKafka(onProgress: (line: string) => void): Promise<boolean> {
  try {
    await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 5_000 });
  } catch {
    return false;
  }
  try {
    await run('docker', ['image', 'inspect', KAFKA_IMAGE], { timeout: 10_000 });
    return true;
  } catch {
    onProgress(`pulling ${KAFKA_IMAGE}`);
    return run('docker', ['pull', '-q', KAFKA_IMAGE], { timeout: 600_000 }).then(
      () => true,
      () => false,
    );
  }
}

/** Brokers as containers on a network of their own, each with a volume that outlives it. */
export class DockerBrokers implements BrokerHost {
  readonly portsPerBroker = 1;
  private readonly network: string;

  constructor(private readonly layout: ClusterLayout) {
    this.network = `hookline-${layout.clusterId.toLowerCase().replaceAll(/[^a-z0-9]/g, '')}`;
  }

  /** The image formats an empty volume by itself; left-over containers of an earlier run are ended here. */
  async format(ids: readonly number[]): Promise<void> {
    await Promise.all(ids.map((id) => run('docker', ['rm', '-f', this.nameOf(id)]).catch(() => undefined)));
    await run('docker', ['network', 'inspect', this.network]).catch(() =>
      run('docker', ['network', 'create', this.network]),
    );
  }

  async start(id: number): Promise<RunningBroker> {
    const name = this.nameOf(id);
    const [port] = this.layout.ports[id - 1] as readonly number[];
    const environment = Object.entries(this.properties(id, port as number)).flatMap(([key, value]) => [
      '-e',
      `KAFKA_${key.toUpperCase().replaceAll('.', '_')}=${value}`,
    ]);
    await run('docker', ['rm', '-f', name]).catch(() => undefined);
    await run('docker', [
      ...['run', '-d', '--name', name, '--network', this.network, '-p', `127.0.0.1:${port}:${CLIENTS}`],
      ...['-v', `${name}:${DATA}`, '-e', `CLUSTER_ID=${this.layout.clusterId}`, '-e', 'KAFKA_HEAP_OPTS=-Xmx512m'],
      ...environment,
      KAFKA_IMAGE,
    ]).catch((error: Error) => {
      throw new StartError(`Docker could not start Kafka: ${error.message.trim().slice(-400)}`);
    });
    watch(name);
    const exited = run('docker', ['wait', name]).then(
      ({ stdout }): Exit => ({ code: Number(stdout), signal: null }),
      (): Exit => ({ code: null, signal: 'SIGKILL' }),
    );
    return { exited, signal: (signal) => send(name, signal) };
  }

  async wipe(id: number): Promise<void> {
    await run('docker', ['rm', '-f', this.nameOf(id)]).catch(() => undefined);
    await run('docker', ['volume', 'rm', '-f', this.nameOf(id)]);
  }

  async logTail(id: number): Promise<string> {
    return run('docker', ['logs', '--tail', '100', this.nameOf(id)]).then(
      ({ stdout, stderr }) => stdout + stderr,
      () => '',
    );
  }

  private properties(id: number, port: number): Record<string, string> {
    const name = this.nameOf(id);
    return brokerProperties({
      id,
      listeners: `PLAINTEXT://:${CLIENTS},BROKERS://:${BROKERS},CONTROLLER://:${CONTROLLERS}`,
      advertised: `PLAINTEXT://127.0.0.1:${port},BROKERS://${name}:${BROKERS}`,
      protocols: 'PLAINTEXT:PLAINTEXT,BROKERS:PLAINTEXT,CONTROLLER:PLAINTEXT',
      interBroker: 'BROKERS',
      voters: this.layout.ports.map((_, index) => `${index + 1}@${this.nameOf(index + 1)}:${CONTROLLERS}`).join(),
      logDir: DATA,
      brokers: this.layout.ports.length,
    });
  }

  private readonly nameOf = (id: number): string => `${this.network}-${id}`;
}

async function send(name: string, signal: NodeJS.Signals): Promise<void> {
  const verb = { SIGSTOP: ['pause'], SIGCONT: ['unpause'] }[signal as string] ?? ['kill', '-s', signal.slice(3)];
  await run('docker', [...verb, name]).catch(() => undefined);
}

/** The daemon keeps containers when we are killed: a shell that reads a pipe to us ends this one then. */
function watch(name: string): void {
  const script = 'cat >/dev/null; docker kill "$0" >/dev/null 2>&1';
  spawn('sh', ['-c', script, name], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] }).unref();
}
