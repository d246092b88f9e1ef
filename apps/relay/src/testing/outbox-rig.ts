import { loadConfig, publishSection, pumpSection, relaySection } from '@hookline/config';
import { decodeEventHeaders, TOPICS, type EventEnvelope } from '@hookline/contracts';
import { newId } from '@hookline/domain';
import { ProducerPump, RangeReader, TopicOffsets, type Output } from '@hookline/kafka';
import { installOutbox } from '@hookline/outbox';
import { HealthRegistry, Metrics, silentLogger, systemClock } from '@hookline/platform';
import { createTestDatabase, createTopics, distinct, testKafkaBrokers, waitUntil } from '@hookline/testing';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { createOutbox, type Outbox } from '../outbox/create-outbox.js';

const DEADLINE_MS = 90_000;

/** An event as the log has it. */
export interface LoggedEvent extends EventEnvelope {
  partition: number;
  data: string;
}

/** A relay in this process. */
export interface RunningRelay {
  outbox: Outbox;
  health: HealthRegistry;
  /** A metric's value. */
  metric(name: string): Promise<number>;
}

/** A producer's database with an outbox, a tenant of its own, relays, and what they have brought into the log. */
export class OutboxRig {
  readonly tenant = newId('ten');
  /** Of the producer: not more than a hundred of its transactions at a time. */
  readonly pool: pg.Pool;
  private readonly relays: Outbox[] = [];
  private readonly kafka = new Kafka({
    clientId: 'relay-test',
    brokers: testKafkaBrokers(),
    connectionTimeout: 10_000,
    logLevel: logLevel.NOTHING,
  });
  private pump!: ProducerPump;
  private from = new Map<number, number>();

  private constructor(
    readonly url: string,
    private readonly drop: () => Promise<void>,
  ) {
    this.pool = new pg.Pool({ connectionString: url, max: 20 });
    // A test may take the server away.
    this.pool.on('error', () => undefined);
  }

  /** @param server a database to use; it is left as it is at the end. Absent: one of its own */
  static async open(server?: string): Promise<OutboxRig> {
    const database = server === undefined ? await createTestDatabase() : { url: server, drop: async () => undefined };
    const rig = new OutboxRig(database.url, database.drop);
    await installOutbox(rig.pool);
    const admin = rig.kafka.admin();
    await admin.connect();
    const appendTime = { name: 'message.timestamp.type', value: 'LogAppendTime' };
    await createTopics(admin, [{ topic: TOPICS.events, numPartitions: 3, configEntries: [appendTime] }]);
    await admin.disconnect();
    rig.from = await rig.ends();
    const { pump } = loadConfig({ pump: pumpSection }, {});
    rig.pump = new ProducerPump(
      { kafka: rig.kafka, clock: systemClock, logger: silentLogger },
      { ...pump, maxBufferedBytes: Number.MAX_SAFE_INTEGER },
    );
    await rig.pump.start([TOPICS.events]);
    return rig;
  }

  /** Into the log, as relays do by default. */
  get output(): Output {
    return this.pump;
  }

  /** @param settings of the section relay, as environment variables */
  relay(
    settings: Record<string, string> = {},
    { output = this.pump, url = this.url, drainMs = 1_000 }: { output?: Output; url?: string; drainMs?: number } = {},
  ): RunningRelay {
    const config = loadConfig(
      { relay: relaySection, publish: publishSection },
      {
        HOOKLINE_RELAY_DATABASE_URL: url,
        HOOKLINE_RELAY_TENANT: this.tenant,
        // Few rows at a time, so that a test has many batches.
        HOOKLINE_RELAY_BATCH: '50',
        HOOKLINE_RELAY_POLL: '200ms',
        ...settings,
      },
    );
    const metrics = new Metrics('relay');
    const health = new HealthRegistry();
    const outbox = createOutbox(config, {
      output,
      clock: systemClock,
      logger: silentLogger,
      metrics,
      health,
      drainMs,
    });
    this.relays.push(outbox);
    outbox.start();
    const metric = async (name: string): Promise<number> => {
      const value = new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(await metrics.text())?.[1];
      if (value === undefined) throw new Error(`there is no metric ${name}`);
      return Number(value);
    };
    return { outbox, health, metric };
  }

  /** Its events in the log so far, each once, in the order of each partition. */
  async logged(tenant = this.tenant): Promise<LoggedEvent[]> {
    return distinct(await this.loggedWithRepeats(tenant), ({ id }) => id);
  }

  async loggedWithRepeats(tenant = this.tenant): Promise<LoggedEvent[]> {
    const ends = await this.ends();
    const ranges = [...ends].map(([partition, to]) => ({ partition, from: this.from.get(partition) ?? 0, to }));
    const events: LoggedEvent[] = [];
    for await (const { partition, records } of new RangeReader(this.kafka).read(TOPICS.events, ranges))
      for (const { headers, value } of records) {
        const event = decodeEventHeaders(headers);
        if (event.tenant === tenant) events.push({ ...event, partition, data: String(value) });
      }
    return events;
  }

  async count(table: string): Promise<number> {
    const { rows } = await this.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
    return rows[0]?.n ?? 0;
  }

  /** Waits until no row is in the outbox. */
  async drained(): Promise<void> {
    await this.until('the outbox to be empty', async () => (await this.count('hookline_outbox')) === 0);
  }

  until<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<Exclude<T, false>>> {
    return waitUntil(condition, { deadlineMs: DEADLINE_MS, what, seen: () => this.seen() });
  }

  /** For a wait that was in vain. */
  private async seen(): Promise<object> {
    const [logged, waiting] = await Promise.all([this.loggedWithRepeats(), this.count('hookline_outbox')]);
    return { logged: logged.length, distinct: new Set(logged.map(({ id }) => id)).size, waiting };
  }

  async close(): Promise<void> {
    await Promise.all(this.relays.map((relay) => relay.stop()));
    await this.pump.stop({ drainMs: 0 });
    await this.pool.end();
    await this.drop();
  }

  private async ends(): Promise<Map<number, number>> {
    const admin = this.kafka.admin();
    await admin.connect();
    // A broker that was just made a leader may not know it yet.
    const bounds = await this.until('the ends of the topic', () => new TopicOffsets(admin).bounds(TOPICS.events));
    await admin.disconnect();
    return new Map(bounds.map(({ partition, high }) => [partition, high]));
  }
}
