import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { kafkaSection, loadConfig } from '@hookline/config';
import { encodeCompacted, GENESIS_KEY, type CredentialRecord } from '@hookline/contracts';
import { silentLogger, systemClock } from '@hookline/platform';
import { createTopics, testKafkaBrokers, uniqueName, waitUntil } from '@hookline/testing';
import type { Admin, ISocketFactory, Kafka, Producer } from 'kafkajs';
import { createKafka } from '../client.js';
import { CompactedView } from './compacted-view.js';
import { brokersInTurn } from './connect.js';

const DEADLINE_MS = 75_000;

/** Says what it is told. */
class ToldEntries extends Map<string, CredentialRecord> {
  constructor(private readonly say: (key: string, value?: CredentialRecord) => void) {
    super();
  }

  override set(key: string, value: CredentialRecord): this {
    this.say(key, value);
    return super.set(key, value);
  }

  override delete(key: string): boolean {
    this.say(key);
    return super.delete(key);
  }
}

/** Connections that stay open and fall silent, as those of a stopped broker do. */
class Sockets {
  private readonly open = new Set<Socket>();
  private hung = false;

  readonly factory: ISocketFactory = ({ host, port, onConnect }) => {
    const socket = connect({ host, port }, onConnect);
    this.open.add(socket);
    socket.once('close', () => this.open.delete(socket));
    if (this.hung) socket.pause();
    return socket;
  };

  hang(): void {
    this.hung = true;
    for (const socket of this.open) socket.pause();
  }

  answer(): void {
    this.hung = false;
    for (const socket of this.open) socket.resume();
  }

  cut(): void {
    for (const socket of this.open) socket.destroy(new Error('connection reset'));
  }
}

const { kafka: config } = loadConfig({ kafka: kafkaSection }, { KAFKA_BROKERS: testKafkaBrokers().join(',') });

const record = (id: string, version: number, tenant = 'ten_a'): CredentialRecord => ({
  v: 1,
  version,
  id,
  tenant,
  hash: 'x',
  status: 'active',
});

describe('CompactedView', () => {
  const logger = silentLogger;
  const kafka: Kafka = createKafka(config, { role: 'view-test', logger });
  const views: CompactedView<CredentialRecord>[] = [];
  let admin: Admin;
  let producer: Producer;

  beforeAll(async () => {
    admin = kafka.admin();
    producer = kafka.producer({ idempotent: true });
    await Promise.all([admin.connect(), producer.connect()]);
  });

  afterEach(async () => {
    await Promise.all(views.splice(0).map((view) => view.stop()));
  });

  afterAll(async () => {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  });

  async function topicWith(partitions = 1): Promise<string> {
    const topic = uniqueName('view');
    const configEntries = [{ name: 'cleanup.policy', value: 'compact' }];
    await createTopics(admin, [{ topic, numPartitions: partitions, configEntries }]);
    return topic;
  }

  async function write(topic: string, key: string, value: Buffer | null, partition = 0): Promise<void> {
    await producer.send({ topic, messages: [{ key, value, partition }] });
  }

  const writeRecord = (topic: string, value: CredentialRecord, partition = 0): Promise<void> =>
    write(topic, value.id, encodeCompacted(value), partition);

  const writeGenesis = (topic: string, partition = 0): Promise<void> =>
    write(topic, GENESIS_KEY, encodeCompacted({ v: 1, genesis: true, at: '2026-11-22T00:00:00Z' }), partition);

  interface ViewParts {
    sockets?: Sockets;
    entries?: Map<string, CredentialRecord>;
  }

  function viewOf(topic: string, { sockets, entries }: ViewParts = {}): CompactedView<CredentialRecord> {
    const options = { role: 'view-test', logger, ...(sockets ? { socketFactory: sockets.factory } : {}) };
    const view = new CompactedView<CredentialRecord>({
      topic,
      connect: brokersInTurn(config, options),
      clock: systemClock,
      logger,
      ...(entries ? { entries } : {}),
    });
    views.push(view);
    view.start();
    return view;
  }

  const until = (what: string, condition: () => boolean): Promise<boolean> =>
    waitUntil(condition, { deadlineMs: DEADLINE_MS, what });

  it('is complete with everything that was there, and only with the genesis record', async () => {
    const topic = await topicWith();
    await writeRecord(topic, record('key_1', 1));
    const entries = new Map<string, CredentialRecord>();
    const view = viewOf(topic, { entries });
    await until('the record', () => view.get('key_1') !== undefined);
    expect(view.isComplete).toBe(false);
    expect(view.staleForMs()).toBe(Infinity);

    await writeGenesis(topic);
    await view.ready();
    expect([...entries.keys()]).toEqual(['key_1']);
    expect(view.staleForMs()).toBeLessThan(DEADLINE_MS);
  });

  it('reads all partitions before it is complete, in batches of any number', async () => {
    const topic = await topicWith(3);
    await writeGenesis(topic, 1);
    for (const partition of [0, 1, 2])
      await producer.send({
        topic,
        messages: Array.from({ length: 2_000 }, (_, i) => {
          const id = `key_${partition}_${i}`;
          return { partition, key: id, value: encodeCompacted(record(id, 1)) };
        }),
      });
    const entries = new Map<string, CredentialRecord>();
    await viewOf(topic, { entries }).ready();
    expect(entries.size).toBe(6_000);
  });

  it('an empty topic says nothing: the view is not complete', async () => {
    const topic = await topicWith();
    const other = await topicWith();
    await writeGenesis(other);
    const empty = viewOf(topic);
    // The other one shows that there was time enough.
    await viewOf(other).ready();
    expect(empty.isComplete).toBe(false);
    const stopped = expect(empty.ready()).rejects.toThrow('was stopped');
    await empty.stop();
    await stopped;
  });

  it('waits for a topic that is made later', async () => {
    const topic = uniqueName('view');
    const entries = new Map<string, CredentialRecord>();
    const view = viewOf(topic, { entries });
    await createTopics(admin, [{ topic, numPartitions: 1 }]);
    await writeGenesis(topic);
    await view.ready();
    expect(entries.size).toBe(0);
  });

  it('follows live, tells of each change in order, and an old record never overtakes a newer one', async () => {
    const topic = await topicWith();
    await writeGenesis(topic);
    const seen: string[] = [];
    const told = new ToldEntries((key, value) => seen.push(`${key}@${value?.version ?? 'gone'}`));
    const view = viewOf(topic, { entries: told });
    await view.ready();
    await writeRecord(topic, record('key_1', 2));
    await writeRecord(topic, record('key_1', 1, 'ten_old'));
    await writeRecord(topic, record('key_1', 2, 'ten_repeat'));
    await writeRecord(topic, record('key_2', 1));
    await write(topic, 'key_2', null);
    await writeRecord(topic, record('key_1', 3));
    await until('the last version', () => view.get('key_1')?.version === 3);
    expect(seen).toEqual(['key_1@2', 'key_2@1', 'key_2@gone', 'key_1@3']);
    expect(view.get('key_2')).toBeUndefined();
  });

  it('leaves out what it cannot read, counts it, and goes on', async () => {
    const topic = await topicWith();
    await writeGenesis(topic);
    await write(topic, 'key_1', Buffer.from('not JSON'));
    await write(topic, 'key_2', Buffer.from('{"v":7}'));
    await writeRecord(topic, record('key_3', 1));
    const entries = new Map<string, CredentialRecord>();
    const view = viewOf(topic, { entries });
    await view.ready();
    expect(view.unreadable).toBe(2);
    expect([...entries.keys()]).toEqual(['key_3']);
  });

  it('notices that the brokers hang, and catches up when they answer again', async () => {
    const topic = await topicWith();
    await writeGenesis(topic);
    const sockets = new Sockets();
    const view = viewOf(topic, { sockets });
    await view.ready();
    sockets.hang();
    await writeRecord(topic, record('key_1', 1));
    // Longer than any idle fetch, and than it takes to give the first connections up.
    await until('the view to grow stale', () => view.staleForMs() > 8_000);
    expect(view.get('key_1')).toBeUndefined();
    expect(view.isComplete).toBe(true);
    sockets.answer();
    await until('the record', () => view.get('key_1') !== undefined);
    await until('the view to be fresh', () => view.staleForMs() < 2_000);
  });

  it('goes on after its connections were cut', async () => {
    const topic = await topicWith();
    await writeGenesis(topic);
    const sockets = new Sockets();
    const view = viewOf(topic, { sockets });
    await view.ready();
    sockets.cut();
    await writeRecord(topic, record('key_1', 1));
    await until('the record', () => view.get('key_1') !== undefined);
  });
});
