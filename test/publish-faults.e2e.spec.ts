import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { kafkaSection, loadConfig, pumpSection } from '@hookline/config';
import { EmbeddedKafka } from '@hookline/embedded';
import { createKafka, ProducerPump, type PumpObserver } from '@hookline/kafka';
import { silentLogger, systemClock } from '@hookline/platform';
import { KafkaProxy, uniqueName, waitUntil } from '@hookline/testing';
import type { Admin, Kafka } from 'kafkajs';
import { Published, readTopic, reconcile } from './support/published.js';

const DEADLINE_MS = 90_000;

class Counts implements PumpObserver {
  failures = 0;
  replaced = 0;
  flushed = (): void => undefined;
  failed = (): void => void (this.failures += 1);
  unacknowledged = (): void => undefined;
  producerReplaced = (): void => void (this.replaced += 1);
}

/** Brokers of its own, for it kills them. */
describe('publishing while Kafka fails', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hookline-faults-'));
  let brokers: EmbeddedKafka;
  let proxy: KafkaProxy;
  let direct: Kafka;
  let admin: Admin;
  let pump: ProducerPump;
  let counts: Counts;
  let topic: string;
  let published: Published;

  beforeAll(async () => {
    brokers = await EmbeddedKafka.start({ dataDir, brokers: 3 });
    proxy = await KafkaProxy.start(brokers.brokers);
    direct = createKafka(config(), { role: 'test', logger: silentLogger });
    admin = direct.admin();
    await admin.connect();
  });

  afterAll(async () => {
    await admin.disconnect();
    await proxy.stop();
    await brokers.stop('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  });

  const config = () => loadConfig({ kafka: kafkaSection }, { KAFKA_BROKERS: brokers.brokers.join() }).kafka;

  beforeEach(async () => {
    topic = uniqueName('faults');
    // When a leader dies, its two partitions go to one each of the others.
    const replicaAssignment = [
      { partition: 0, replicas: [1, 2, 3] },
      { partition: 1, replicas: [1, 3, 2] },
      { partition: 2, replicas: [2, 3, 1] },
      { partition: 3, replicas: [2, 1, 3] },
      { partition: 4, replicas: [3, 1, 2] },
      { partition: 5, replicas: [3, 2, 1] },
    ];
    const configEntries = [{ name: 'min.insync.replicas', value: '2' }];
    // Not awaited: kafkajs gives up when one broker has not heard of the topic yet; the pump waits for leaders anyway.
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, replicaAssignment, configEntries }] });
    counts = new Counts();
    const through = createKafka(config(), {
      role: 'pump',
      logger: silentLogger,
      socketFactory: proxy.socketFactory,
    });
    const { pump: settings } = loadConfig({ pump: pumpSection }, {});
    pump = new ProducerPump(
      { kafka: through, clock: systemClock, logger: silentLogger, observer: counts },
      { ...settings, maxBufferedBytes: 67_108_864 },
    );
    await pump.start([topic]);
    published = new Published(pump, topic);
  });

  afterEach(async () => {
    proxy.shouldCut = () => false;
    for (const broker of brokers.brokers) proxy.release(broker);
    await pump.stop({ drainMs: 10_000 });
    for (const id of [1, 2, 3]) await brokers.restart(id);
    await waitUntil(inSync, { deadlineMs: DEADLINE_MS, what: 'every copy to be in sync' });
  });

  async function inSync(): Promise<boolean> {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics.every(({ partitions }) => partitions.every(({ isr }) => isr.length === 3));
  }

  const leadersOf = async (): Promise<number[]> => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics.flatMap(({ partitions }) => partitions.map(({ leader }) => leader));
  };

  it('loses, repeats and reorders nothing when a leader is killed and its partitions scatter', async () => {
    let killed = false;
    let after = 0;
    const running = published.run(8, 25, () => killed && published.acknowledged.size >= after);
    const flows = (): boolean => published.acknowledged.size > 2_000 && pump.depth.records > 0;
    await waitUntil(flows, { deadlineMs: DEADLINE_MS, what: 'publishing to flow, with records that are out' });
    await brokers.kill(1);
    after = published.acknowledged.size + 4_000;
    killed = true;
    await running;

    expect(counts.failures).toBeGreaterThan(0);
    expect(new Set(await leadersOf())).toEqual(new Set([2, 3]));
    expect(published.rejected.size).toBe(0);
    expect(reconcile(published, await readTopic(direct, admin, topic))).toEqual([]);
    expect(counts.replaced).toBe(0);
  });

  it('loses and repeats nothing when connections are cut between append and answer', async () => {
    let answers = 0;
    proxy.cuts = 0;
    proxy.shouldCut = () => ++answers % 7 === 0 && proxy.cuts < 60;
    await published.run(8, 25, () => proxy.cuts >= 60 && published.acknowledged.size >= 2_000);

    expect(proxy.cuts).toBe(60);
    expect(published.rejected.size).toBe(0);
    expect(reconcile(published, await readTopic(direct, admin, topic))).toEqual([]);
    expect(counts.replaced).toBe(0);
  });

  it('goes on with the other leaders while one is not heard of', async () => {
    await published.publish(null);
    const [first] = published.acknowledged.values();
    const leader = (await leadersOf())[first?.partition ?? 0] ?? 1;
    proxy.hold(brokers.brokers[leader - 1] as string);
    const goal = published.acknowledged.size + 100;
    const running = Promise.all(Array.from({ length: 400 }, () => published.publish(null)));
    const more = async (): Promise<boolean> => {
      await published.publish(null, 5_000);
      return published.acknowledged.size >= goal;
    };
    await waitUntil(more, { deadlineMs: DEADLINE_MS, what: 'records to be acknowledged by the others' });
    expect(pump.depth.records).toBeGreaterThanOrEqual(400);
    proxy.release(brokers.brokers[leader - 1] as string);
    await running;
    await pump.stop({ drainMs: 30_000 });
    expect(reconcile(published, await readTopic(direct, admin, topic))).toEqual([]);
  });

  it('lets the caller go at its deadline; what is appended later does no harm', async () => {
    await published.publish('key');
    const [first] = published.acknowledged.values();
    const leader = (await leadersOf())[first?.partition ?? 0] ?? 1;
    await brokers.pause(leader);
    await published.publish('key', 1_000);
    expect([...published.rejected.values()].map(({ reason }) => reason)).toEqual(['deadline']);
    const running = published.publish('key');
    await brokers.resume(leader);
    await running;
    await pump.stop({ drainMs: 30_000 });

    const found = await readTopic(direct, admin, topic);
    expect(reconcile(published, found)).toEqual([]);
    // It was out when its caller left, so the pump has finished it before anything newer of that partition.
    expect(found.order.get('key')).toEqual(published.order.get('key'));
  });
});
