import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GuardedProcess } from '../process/guarded-process.js';
import type { ProcessRegister } from '../process/process-register.js';
import { StartError } from '../start-error.js';
import { tailOf } from '../tail.js';
import type { BrokerHost, ClusterLayout, RunningBroker } from './broker-host.js';
import { brokerProperties, toPropertiesFile } from './broker-properties.js';
import { brokerFolder } from './whole-brokers.js';

export interface JvmOptions {
  java: string;
  classPath: string;
}

/**
 * C1 alone: it is quick to start, and here also what costs least for minutes. On two cores the C2 compilers of three
 * brokers took 49 % of a core after a minute of load and still 13 % after 100 s, while C1's code costs the brokers about a
 * fifth more (2026-11-22, AMD EPYC, `npm run bench -- spine`: 574 → 415 µs of brokers, database and system an event).
 */
const JVM = ['-Xms512m', '-Xmx512m', '-XX:+UseParallelGC', '-XX:TieredStopAtLevel=1'];

/** Brokers as processes of this machine. */
export class JvmBrokers implements BrokerHost {
  readonly portsPerBroker = 2;

  constructor(
    private readonly layout: ClusterLayout,
    private readonly jvm: JvmOptions,
    private readonly register: ProcessRegister,
  ) {}

  async format(ids: readonly number[]): Promise<void> {
    for (const id of ids) this.writeProperties(id);
    const [first, ...others] = ids.filter((id) => !existsSync(join(this.dataOf(id), 'meta.properties')));
    if (first === undefined) return;
    await this.runFormatter(first);
    for (const id of others) this.copyFormat(first, id);
  }

  async start(id: number): Promise<RunningBroker> {
    this.writeProperties(id);
    const broker = await GuardedProcess.start(
      {
        name: `kafka-${id}`,
        command: this.jvm.java,
        args: [...JVM, ...this.common(), 'kafka.Kafka', this.propertiesOf(id)],
        cwd: this.layout.dir,
        logFile: this.logOf(id),
      },
      this.register,
    );
    return { exited: broker.exited, signal: async (signal) => broker.signal(signal) };
  }

  async wipe(id: number): Promise<void> {
    rmSync(this.dataOf(id), { recursive: true, force: true });
    await this.format([id]);
  }

  async logTail(id: number): Promise<string> {
    return tailOf(this.logOf(id));
  }

  private common(): string[] {
    const log = [
      'showDateTime=true',
      'dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS',
      'logFile=System.out',
      'defaultLogLevel=warn',
    ];
    const levels = [
      'log.kafka.server.KafkaRaftServer=info',
      'log.org.apache.kafka.storage.internals.log.LogDirFailureChannel=info',
    ];
    return [...log, ...levels]
      .map((setting) => `-Dorg.slf4j.simpleLogger.${setting}`)
      .concat('-cp', this.jvm.classPath);
  }

  private async runFormatter(id: number): Promise<void> {
    const args = [
      '-XX:TieredStopAtLevel=1',
      '-XX:+UseSerialGC',
      ...this.common(),
      'kafka.tools.StorageTool',
      'format',
      ...['-t', this.layout.clusterId, '-c', this.propertiesOf(id)],
    ];
    const child = spawn(this.jvm.java, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
    if (code === 0) return;
    rmSync(this.dataOf(id), { recursive: true, force: true });
    throw new StartError(`Kafka's data folder ${this.dataOf(id)} could not be made: ${output.trim().slice(-400)}`);
  }

  /** What the formatter makes differs between nodes by two ids only: a second of JVM is saved for each. */
  private copyFormat(from: number, to: number): void {
    cpSync(this.dataOf(from), this.dataOf(to), { recursive: true });
    const file = join(this.dataOf(to), 'meta.properties');
    const meta = readFileSync(file, 'utf8')
      .replace(/^node\.id=.*$/m, `node.id=${to}`)
      .replace(/^directory\.id=.*$/m, `directory.id=${randomBytes(16).toString('base64url')}`);
    writeFileSync(file, meta);
  }

  private writeProperties(id: number): void {
    mkdirSync(this.layout.dir, { recursive: true });
    const [client, controller] = this.portsOf(id);
    const properties = brokerProperties({
      id,
      listeners: `PLAINTEXT://127.0.0.1:${client},CONTROLLER://127.0.0.1:${controller}`,
      advertised: `PLAINTEXT://127.0.0.1:${client}`,
      protocols: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      voters: this.layout.ports.map(([, port], index) => `${index + 1}@127.0.0.1:${port}`).join(),
      logDir: this.dataOf(id),
      brokers: this.layout.ports.length,
    });
    writeFileSync(this.propertiesOf(id), toPropertiesFile(properties));
  }

  private readonly portsOf = (id: number): readonly number[] => this.layout.ports[id - 1] as readonly number[];
  private readonly dataOf = (id: number): string => brokerFolder(this.layout.dir, id);
  private readonly propertiesOf = (id: number): string => join(this.layout.dir, `broker-${id}.properties`);
  private readonly logOf = (id: number): string => join(this.layout.dir, `broker-${id}.log`);
}
