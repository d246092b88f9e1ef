import {
  decodeDeliveryHeaders,
  encodeEventHeaders,
  optionalHeader,
  TOPICS,
  type LogPosition,
} from '@hookline/contracts';
import { deliveryIdOf, newId } from '@hookline/domain';
import { ProducerPump, RangeReader, type Output } from '@hookline/kafka';
import { connectionOptions, createDataSource, DayPartitions, deliveryUuid, Session } from '@hookline/persistence';
import { silentLogger, systemClock } from '@hookline/platform';
import { distinct, waitUntil, type TestDatabase } from '@hookline/testing';
import type { Producer } from 'kafkajs';
import { Database } from '../database/database.js';
import { ReplayMachinery } from '../replay-machinery.js';
import { adminSettings, migratedDatabase } from './admin-rig.js';
import { PlayedLog } from './played-log.js';
import { endOffsets, makeTopics, readFrom, testKafka, testProducer } from './topics.js';

/** An event of a test, where it stands. */
export interface PublishedEvent extends LogPosition {
  id: string;
  tenant: string;
  type: string;
}

/** A row of a span, with what a test asks of it. */
export interface SpanRow {
  id: string;
  from_offsets: Record<string, number>;
  to_offsets: Record<string, number> | null;
  replay_id: string | null;
  ended_as: string | null;
}

/** How long anything may take here, ms. */
const PATIENCE_MS = 90_000;
/** Of one question to the database or the log, ms: longer than a machine may stand still. */
const ANSWER_MS = 60_000;

/** A delivery in a lane. */
export interface Arrived {
  deliveryId: string;
  epoch: number | undefined;
  replayId: string | undefined;
}

/** A database and Kafka, and what reads the log again over them; the rest of Hookline is played by the test. */
export class ReplayRig {
  private readonly machineries: ReplayMachinery[] = [];
  private sessions: Session[] = [];

  private constructor(
    private readonly testDatabase: TestDatabase,
    readonly database: Database,
    readonly log: PlayedLog,
    readonly pump: ProducerPump,
    private readonly producer: Producer,
    private readonly settings: ReturnType<typeof adminSettings>,
  ) {}

  static async start(env: Record<string, string> = {}): Promise<ReplayRig> {
    const [testDatabase] = await Promise.all([migratedDatabase(), makeTopics()]);
    const settings = adminSettings(testDatabase.url, {
      HOOKLINE_VIEW_STALE: '200ms',
      HOOKLINE_KNOWN_MARGIN: '100ms',
      HOOKLINE_KEEPER_POLL: '100ms',
      ...env,
    });
    const producer = await testProducer();
    const rig = new ReplayRig(
      testDatabase,
      new Database(() => createDataSource(settings.database), ANSWER_MS),
      new PlayedLog(testKafka(), ANSWER_MS),
      new ProducerPump(
        { kafka: testKafka(), clock: systemClock, logger: silentLogger },
        { ...settings.pump, maxBufferedBytes: 50_000_000 },
      ),
      producer,
      settings,
    );
    await rig.recordUpTo(1_000_000_000);
    return rig;
  }

  get databaseUrl(): string {
    return this.testDatabase.url;
  }

  async stop(): Promise<void> {
    await Promise.all(this.machineries.map((machinery) => machinery.stop()));
    await this.producer.disconnect();
    await this.pump.stop({ drainMs: 1_000 });
    await this.log.close();
    await this.database.close();
    await this.testDatabase.drop();
  }

  openSession = async (): Promise<Session> => {
    const session = await Session.open(connectionOptions(this.settings.database));
    this.sessions.push(session);
    return session;
  };

  /** All that admin-api runs of this, over another output where the test has one. */
  run(output: Output = this.pump): ReplayMachinery {
    const machinery = new ReplayMachinery(
      {
        database: this.database,
        openSession: this.openSession,
        log: this.log,
        reader: new RangeReader(testKafka(), { maxBytes: 20_000 }),
        slowReader: new RangeReader(testKafka(), { maxBytes: 20_000 }),
        output,
        clock: systemClock,
        logger: silentLogger,
      },
      this.settings,
    );
    this.machineries.push(machinery);
    machinery.start();
    return machinery;
  }

  /** Its connections go, and with them its locks: nothing that it does afterwards counts. */
  async killSessions(): Promise<void> {
    await Promise.all(this.sessions.splice(0).map((session) => session.close()));
  }

  /** As if the recorder had come so far. */
  async recordUpTo(offset: number): Promise<void> {
    const { size } = await endOffsets(TOPICS.attempts);
    await this.database.query(
      `INSERT INTO recorder_offsets SELECT $1, p, $2 FROM generate_series(0, $3::integer - 1) AS p
       ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset`,
      [TOPICS.attempts, offset, size],
    );
  }

  /** An enabled subscription of a new tenant, or of this one. */
  async subscribe(types: string[] = ['*'], tenant = newId('ten')): Promise<{ tenant: string; id: string }> {
    const id = newId('sub');
    await this.database.query(`INSERT INTO tenants (id, name) VALUES ($1, 'a') ON CONFLICT DO NOTHING`, [tenant]);
    await this.database.query(
      `INSERT INTO subscriptions (id, tenant_id, url, types, status, sealed, version, epoch)
       VALUES ($1, $2, 'https://example.com/', $3, 'enabled', '', 3, 1)`,
      [id, tenant, types],
    );
    return { tenant, id };
  }

  /** Appends events as ingest does, one after the other over the partitions. */
  publish(tenant: string, types: readonly string[]): Promise<PublishedEvent[]> {
    return publishEvents(this.producer, tenant, types);
  }

  /** As if the workers had decided, and the recorder had written it: what each of the events matched. */
  async decide(events: readonly PublishedEvent[], matched: readonly string[]): Promise<void> {
    await this.makeDays(events);
    for (const { partition, offset, at } of events)
      await this.database.query(
        `INSERT INTO event_routes (partition, "offset", appended_at, matched) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING`,
        [partition, offset, new Date(at), matched],
      );
  }

  /** As if the recorder had the events themselves. */
  async recordEvents(events: readonly PublishedEvent[]): Promise<void> {
    await this.makeDays(events);
    for (const { partition, offset, at, tenant, id, type } of events)
      await this.database.query(
        `INSERT INTO events (partition, "offset", appended_at, tenant_id, event_id, type, time, payload, size)
         VALUES ($1, $2, $3, $4, $5, $6, '2026-01-01T00:00:00Z', '{}', 2)`,
        [partition, offset, new Date(at), tenant, id, type],
      );
  }

  /** As if the recorder knew of these deliveries. */
  async record(
    events: readonly PublishedEvent[],
    subscription: string,
    state: string,
    replayId: string | null = null,
  ): Promise<void> {
    await this.makeDays(events);
    for (const event of events) {
      const uuid = deliveryUuid(deliveryIdOf(event, event, subscription));
      await this.database.query(
        `INSERT INTO deliveries (delivery_id, event_at, event_partition, event_offset, tenant_id, subscription_id,
           event_id, type, state, attempts, replay_id, sole_match, updated_at, outcome_offset)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, false, now(), 0)
         ON CONFLICT (delivery_id, event_at) DO UPDATE SET state = excluded.state`,
        [
          uuid,
          new Date(event.at),
          event.partition,
          event.offset,
          event.tenant,
          subscription,
          event.id,
          event.type,
        ].concat([state, replayId] as string[]),
      );
      if (replayId !== null)
        await this.database.query(
          `INSERT INTO replay_deliveries VALUES ($1, $2, $3, $4, now(), 0)
           ON CONFLICT (replay_id, delivery_id, event_at) DO UPDATE SET state = excluded.state`,
          [replayId, uuid, new Date(event.at), state],
        );
    }
  }

  /** A span over these events, closed unless `open`. */
  async hold(
    subscription: { tenant: string; id: string },
    from: ReadonlyMap<number, number>,
    to: ReadonlyMap<number, number> | null,
    version = 2,
  ): Promise<void> {
    await this.database.query(
      `INSERT INTO held_spans (subscription_id, tenant_id, version, reason, since, from_offsets, to_offsets)
       VALUES ($1, $2, $3, 'paused', now(), $4, $5)`,
      [subscription.id, subscription.tenant, version, json(from), to === null ? null : json(to)],
    );
  }

  /** Asks for a catch-up as the change of a subscription does, that the workers know of already. */
  async catchUp(
    { tenant, id }: { tenant: string; id: string },
    to: ReadonlyMap<number, number>,
    { kind = 'catch-up', from = null as number | null, told = true } = {},
  ): Promise<string> {
    const replayId = newId('rpl');
    const spec = {
      topic: TOPICS.events,
      from: from === null ? null : { timestamp: from },
      subscriptionIds: [id],
      version: 3,
    };
    await this.database.query(
      `INSERT INTO replays (id, tenant_id, kind, subscription_id, status, spec, version, to_offsets, told_at)
       VALUES ($1, $2, $3, $4, 'pending', $5, 3, $6, CASE WHEN $7 THEN now() END)`,
      [replayId, tenant, kind, id, JSON.stringify(spec), json(to), told],
    );
    await this.database.query(`SELECT pg_notify('hookline_replays', '')`);
    return replayId;
  }

  async replay(id: string): Promise<Record<string, unknown>> {
    const [row] = await this.database.query<Record<string, unknown>[]>('SELECT * FROM replays WHERE id = $1', [id]);
    return row ?? {};
  }

  spans(subscription: string): Promise<SpanRow[]> {
    return this.database.query<SpanRow[]>('SELECT * FROM held_spans WHERE subscription_id = $1 ORDER BY version', [
      subscription,
    ]);
  }

  async until<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<Exclude<T, false>>> {
    return waitUntil(condition, { deadlineMs: PATIENCE_MS, what, seen: () => this.seen() });
  }

  /** For a wait that was in vain. */
  private seen(): Promise<object> {
    return this.database.query(
      'SELECT kind, status, matched, sent, not_before, error FROM replays ORDER BY created_at DESC LIMIT 3',
    );
  }

  /**
   * The deliveries of a subscription that stand in a topic, in the order of its partition, each once: who hands over may have
   * lost the answer, or its session with what it had not saved yet.
   */
  async arrived(topic: string, subscription: string): Promise<Arrived[]> {
    const all = await this.arrivedWithRepeats(topic, subscription);
    return distinct(all, ({ deliveryId, epoch, replayId }) => `${deliveryId} ${epoch} ${replayId}`);
  }

  async arrivedWithRepeats(topic: string, subscription: string): Promise<Arrived[]> {
    const records = await readFrom(topic, new Map());
    return records
      .filter(({ key }) => String(key) === subscription)
      .map(({ headers }) => {
        const { deliveryId, epoch, replayId } = decodeDeliveryHeaders(headers);
        return { deliveryId, epoch, replayId };
      });
  }

  private async makeDays(events: readonly PublishedEvent[]): Promise<void> {
    const query = async (sql: string): Promise<unknown> => this.database.query(sql);
    await new DayPartitions().ensure(
      { query } as Parameters<DayPartitions['ensure']>[0],
      events.map(({ at }) => at),
    );
  }
}

export function deliveryIdsOf(events: readonly PublishedEvent[], subscription: string): string[] {
  return events.map((event) => deliveryIdOf(event, event, subscription)).sort();
}

function json(offsets: ReadonlyMap<number, number>): string {
  return JSON.stringify(Object.fromEntries(offsets));
}

/** Appends events as ingest does, one after the other over the partitions. */
export async function publishEvents(
  producer: Producer,
  tenant: string,
  types: readonly string[],
): Promise<PublishedEvent[]> {
  const before = await endOffsets(TOPICS.events);
  const messages = types.map((type, index) => ({
    partition: index % before.size,
    value: JSON.stringify({ text: 'x'.repeat(200) }),
    headers: encodeEventHeaders({ tenant, id: newId('evt'), type, time: '2026-01-01T00:00:00Z' }),
  }));
  await producer.send({ topic: TOPICS.events, acks: -1, messages });
  const ids = new Map(messages.map(({ headers }) => [String(headers['event']), true]));
  return (await readFrom(TOPICS.events, before))
    .filter(({ headers }) => ids.has(optionalHeader(headers, 'event') ?? ''))
    .map((record) => {
      const { id, type } = JSON.parse(optionalHeader(record.headers, 'event') ?? '') as { id: string; type: string };
      return { id, type, tenant, partition: record.partition, offset: record.offset, at: record.timestamp };
    });
}
