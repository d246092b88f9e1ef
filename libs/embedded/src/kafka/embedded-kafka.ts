import { join } from 'node:path';
import { explainDeath, type Death } from '../death.js';
import { freePorts } from '../ports.js';
import { ProcessRegister } from '../process/process-register.js';
import { StartError } from '../start-error.js';
import type { BrokerHost, RunningBroker } from './broker-host.js';
import { untilBrokerSees } from './broker-probe.js';
import { ADVICE, assertSameSize, newClusterId, readClusterFile, writeClusterFile } from './cluster-file.js';
import { DockerBrokers } from './docker-brokers.js';
import { JvmBrokers } from './jvm-brokers.js';
import { chooseKafkaSource, type KafkaSource } from './kafka-source.js';
import { assertWholeBrokers, brokerFolder } from './whole-brokers.js';

export interface EmbeddedKafkaOptions {
  /** The cluster gets the folder `kafka` in it. */
  dataDir: string;
  /** With 3, everything has three copies, of which two must be there. */
  brokers: 1 | 3;
  /** It has been used before: where its data is gone, it is not made anew. */
  isMade?: boolean;
  onProgress?: (line: string) => void;
  /** Where brokers come from; {@link chooseKafkaSource} decides if absent. */
  source?: Exclude<KafkaSource, { kind: 'running' }>;
}

const READY_MS = 120_000;
const STOP_MS = 15_000;

/** A Kafka cluster on this machine, broker by broker: each can be killed, frozen, emptied and started again. */
export class EmbeddedKafka {
  private readonly running = new Map<number, RunningBroker>();
  private stopping = false;
  private onDeath: (id: number, death: Death) => void = () => undefined;

  private constructor(
    /** `host:port` of each broker, by id − 1. The same at the next start, if the ports are still free. */
    readonly brokers: string[],
    private readonly host: BrokerHost,
  ) {}

  /** @throws StartError that says what to do */
  static async start(options: EmbeddedKafkaOptions): Promise<EmbeddedKafka> {
    const { onProgress = () => undefined, brokers: count } = options;
    const dir = join(options.dataDir, 'kafka');
    const made = readClusterFile(dir);
    if (made) assertSameSize(options.dataDir, made, count);
    if (made?.madeBy === 'jvm')
      assertWholeBrokers(
        made.ports.map((_, index) => brokerFolder(dir, index + 1)),
        made.clusterId,
      );
    if (!made && options.isMade) throw new StartError(`Kafka's data in ${dir} is gone. Nothing was changed. ${ADVICE}`);
    const source = options.source ?? (await chooseKafkaSource(onProgress, made?.madeBy, withoutRunning()));
    if (source.kind === 'running') throw new Error('there is nothing to start: Kafka runs already');
    const { register } = await ProcessRegister.open(join(dir, 'processes.json'));

    const portsPerBroker = source.kind === 'jvm' ? 2 : 1;
    const ports = inGroups(await freePorts(count * portsPerBroker, made?.ports.flat()), portsPerBroker);
    const cluster = { clusterId: made?.clusterId ?? newClusterId(), madeBy: source.kind, brokers: count, ports };
    const layout = { dir, ...cluster };
    const host = source.kind === 'jvm' ? new JvmBrokers(layout, source, register) : new DockerBrokers(layout);

    if (!made) onProgress('making its data folder');
    const ids = ports.map((_, index) => index + 1);
    await host.format(ids);
    writeClusterFile(dir, cluster);
    onProgress(count === 1 ? 'starting a broker' : `starting ${count} brokers`);
    const kafka = new EmbeddedKafka(
      ports.map(([port]) => `127.0.0.1:${port}`),
      host,
    );
    try {
      await Promise.all(ids.map((id) => kafka.launch(id, count)));
    } catch (error) {
      await kafka.stop('SIGKILL');
      throw error;
    }
    return kafka;
  }

  /** Says when a broker has ended that nobody here has ended, and why as far as it is known. */
  onUnexpectedDeath(listener: (id: number, death: Death) => void): void {
    this.onDeath = listener;
  }

  /** Ends a broker, as a crash does unless another signal is given, and waits until it is dead. */
  async kill(id: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const broker = this.running.get(id);
    this.running.delete(id);
    await broker?.signal(signal);
    await broker?.exited;
  }

  /** Starts a broker that is down, with the data it has, and waits until it takes part again. */
  async restart(id: number): Promise<void> {
    if (!this.running.has(id)) await this.launch(id, 1);
  }

  /** Kills a broker if it runs, and gives it an empty disk; {@link restart} then brings it back. */
  async wipe(id: number): Promise<void> {
    await this.kill(id);
    await this.host.wipe(id);
  }

  /** Freezes a broker: it holds its connections and says nothing. */
  async pause(id: number): Promise<void> {
    await this.running.get(id)?.signal('SIGSTOP');
  }

  async resume(id: number): Promise<void> {
    await this.running.get(id)?.signal('SIGCONT');
  }

  /** Ends all brokers; those that take too long to end in order are killed, which costs nothing that was acknowledged. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.stopping = true;
    const timer = setTimeout(() => {
      for (const broker of this.running.values()) void broker.signal('SIGKILL');
    }, STOP_MS);
    await Promise.all(
      [...this.running.values()].map(async (broker) => {
        await broker.signal('SIGCONT');
        await broker.signal(signal);
        await broker.exited;
      }),
    );
    clearTimeout(timer);
    this.running.clear();
  }

  private async launch(id: number, expectedBrokers: number): Promise<void> {
    const broker = await this.host.start(id);
    this.running.set(id, broker);
    const died = broker.exited.then(async () => {
      throw new StartError(`Kafka broker ${id} ended while it started: ${(await this.lastWords(id)).why}`);
    });
    const over = new AbortController();
    const timer = setTimeout(
      () => over.abort(new StartError(`Kafka broker ${id} was not ready in ${READY_MS} ms.`)),
      READY_MS,
    );
    try {
      await Promise.race([untilBrokerSees(expectedBrokers, this.brokers[id - 1] as string, over.signal), died]);
    } finally {
      clearTimeout(timer);
      over.abort();
    }
    died.catch(() => this.died(id, broker));
  }

  private async died(id: number, broker: RunningBroker): Promise<void> {
    if (this.stopping || this.running.get(id) !== broker) return;
    this.running.delete(id);
    this.onDeath(id, await this.lastWords(id));
  }

  private async lastWords(id: number): Promise<Death> {
    return explainDeath(await this.host.logTail(id), /ERROR|FATAL|Exception|WARN/);
  }
}

/** This class starts brokers; whoever wants those that run already does not come here. */
const withoutRunning = (): NodeJS.ProcessEnv => ({ ...process.env, KAFKA_BROKERS: '' });

function inGroups<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: items.length / size }, (_, index) => items.slice(index * size, (index + 1) * size));
}
