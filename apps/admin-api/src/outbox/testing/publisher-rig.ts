import { ProducerPump, RangeReader, TopicOffsets, type Output } from '@hookline/kafka';
import { connectionOptions, createDataSource, Session } from '@hookline/persistence';
import { silentLogger, systemClock } from '@hookline/platform';
import type { TestDatabase } from '@hookline/testing';
import type { Admin } from 'kafkajs';
import { Database } from '../../database/database.js';
import { adminSettings, migratedDatabase } from '../../testing/admin-rig.js';
import { makeTopics, testKafka } from '../../testing/topics.js';
import { CompactedTail } from '../compacted-tail.js';
import { CurrentRecords } from '../current-records.js';
import { OutboxPublisher } from '../outbox-publisher.js';

const SETTINGS = { pollMs: 200, watchMs: 200, batch: 10 };
const quiet = {
  writing: () => undefined,
  pending: () => undefined,
  published: () => undefined,
  healed: () => undefined,
};

export interface PublisherOptions {
  topics: readonly string[];
  output?: Output;
  open?: () => Promise<Session>;
  /** Where `hookline.events` begins and ends; as the broker says, if absent. */
  events?: Pick<TopicOffsets, 'bounds'>;
  /** As if these were empty, whatever the others of this Kafka have written there. */
  emptied?: boolean;
}

const NOTHING: Pick<TopicOffsets, 'bounds'> = { bounds: async () => [{ partition: 0, low: 0, high: 0 }] };

/** Publishers without the rest of admin-api, on a database of their own. */
export class PublisherRig {
  private readonly publishers: OutboxPublisher[] = [];

  private constructor(
    readonly database: Database,
    readonly pump: ProducerPump,
    private readonly testDatabase: TestDatabase,
    private readonly admin: Admin,
  ) {}

  static async open(): Promise<PublisherRig> {
    const [testDatabase] = await Promise.all([migratedDatabase(), makeTopics()]);
    const settings = adminSettings(testDatabase.url);
    const admin = testKafka().admin();
    await admin.connect();
    return new PublisherRig(
      new Database(() => createDataSource(settings.database), 60_000),
      new ProducerPump(
        { kafka: testKafka(), clock: systemClock, logger: silentLogger },
        { ...settings.pump, maxBufferedBytes: 1_000_000 },
      ),
      testDatabase,
      admin,
    );
  }

  readonly openSession = (): Promise<Session> =>
    Session.open(connectionOptions(adminSettings(this.testDatabase.url).database));

  start({ topics, output = this.pump, open = this.openSession, events, emptied }: PublisherOptions): OutboxPublisher {
    const offsets = new TopicOffsets(this.admin);
    const reader = new RangeReader(testKafka());
    const publisher = new OutboxPublisher(
      {
        openSession: open,
        current: new CurrentRecords(this.database),
        openTails: () =>
          topics.map((topic) => new CompactedTail(topic, emptied ? NOTHING : offsets, reader, silentLogger)),
        offsets: events ?? offsets,
        output,
        clock: systemClock,
        logger: silentLogger,
        observer: quiet,
      },
      SETTINGS,
    );
    this.publishers.push(publisher);
    publisher.start();
    return publisher;
  }

  /** Changes that are not published yet. */
  async left(): Promise<number> {
    return Number((await this.database.query<{ n: string }[]>('SELECT count(*) AS n FROM outbox'))[0]?.n);
  }

  async stopPublishers(): Promise<void> {
    for (const publisher of this.publishers.splice(0)) await publisher.stop();
  }

  async close(): Promise<void> {
    await this.stopPublishers();
    await this.pump.stop({ drainMs: 1_000 });
    await Promise.all([this.admin.disconnect(), this.database.close()]);
    await this.testDatabase.drop();
  }
}
