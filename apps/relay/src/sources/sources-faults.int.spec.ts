import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TOPICS } from '@hookline/contracts';
import type { Appended, OutgoingRecord, Output } from '@hookline/kafka';
import { KafkaProxy, uniqueName } from '@hookline/testing';
import { ordersFor, seeded, type Order } from './testing/orders.js';
import { SourcesRig, type LoggedEvent } from './testing/sources-rig.js';

const PARTITIONS = 3;
const RECORDS = 3_000;
const CRASHES = 2;
/** Of a member that falls silent the group learns after so long; the broker allows no less. */
const SHORT_SESSION = { HOOKLINE_SESSION_TIMEOUT: '6s', HOOKLINE_REBALANCE_TIMEOUT: '10s' };

/** Lets so many events through and no dead letter: what is held back stays in flight, as in a process about to die. */
class Gate implements Output {
  acknowledged = 0;
  private passed = 0;

  constructor(
    private readonly output: Output,
    private readonly limit: number,
  ) {}

  async produce(record: OutgoingRecord): Promise<Appended> {
    if (record.topic !== TOPICS.events || ++this.passed > this.limit) return new Promise(() => undefined);
    const appended = await this.output.produce(record);
    this.acknowledged += 1;
    return appended;
  }
}

const numberOf = ({ data }: LoggedEvent): number => (JSON.parse(data) as { n: number }).n;

describe('a source under faults', () => {
  let rig: SourcesRig;
  let proxies: KafkaProxy[] = [];
  const seed = Date.now() % 1_000_000;

  beforeEach(async () => {
    rig = await SourcesRig.open();
  });
  afterEach(async () => {
    await rig.close();
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    proxies = [];
  });

  const proxied = async (): Promise<KafkaProxy> => {
    const proxy = await KafkaProxy.start(rig.brokers);
    proxies.push(proxy);
    return proxy;
  };
  const definitionOf = (topic: string) =>
    ({ name: uniqueName('orders'), tenant: rig.tenant, topic, format: 'cloudevents' }) as const;

  async function send(topic: string, orders: readonly Order[]): Promise<void> {
    for (let from = 0; from < orders.length; from += 500)
      await rig.send(
        topic,
        orders.slice(from, from + 500).map(({ message }) => message),
      );
  }

  /** Whatever the group says is done is in the log, as an event or as a dead letter. @returns how many are not done */
  async function committedIsLogged(source: string, topic: string, orders: readonly Order[]): Promise<number> {
    const committed = await rig.committed(source, topic);
    const events = new Set((await rig.events()).map(numberOf));
    const letters = new Set(
      (await rig.deadLetters(source)).map(({ origin }) => `${origin.partition}:${origin.offset}`),
    );
    const done = orders.filter(({ partition, offset }) => committed.get(partition)?.(offset) === true);
    const unlogged = done.filter(({ n, good, partition, offset }) =>
      good ? !events.has(n) : !letters.has(`${partition}:${offset}`),
    );
    expect({ seed, unlogged }).toEqual({ seed, unlogged: [] });
    return orders.length - done.length;
  }

  const allDone = (source: string, topic: string, orders: readonly Order[]) =>
    rig.until('everything to be committed', async () => {
      const committed = await rig.committed(source, topic);
      return orders.every(({ partition, offset }) => committed.get(partition)?.(offset) === true);
    });

  /** @returns all that is there, with repeats */
  async function expectAll(source: string, orders: readonly Order[]): Promise<LoggedEvent[]> {
    const events = await rig.eventsWithRepeats();
    const ids = new Map<number, Set<string>>();
    const order = new Map<string, number[]>();
    for (const event of events) {
      const n = numberOf(event);
      if (!ids.has(n)) order.set(event.key ?? '', [...(order.get(event.key ?? '') ?? []), n]);
      ids.set(n, (ids.get(n) ?? new Set()).add(event.id));
    }
    const good = orders.filter((each) => each.good);
    expect({ seed, found: [...ids.keys()].sort((a, b) => a - b) }).toEqual({ seed, found: good.map(({ n }) => n) });
    // A repeat is known by its id.
    expect([...ids.values()].filter((each) => each.size > 1)).toEqual([]);
    expect(new Set([...ids.values()].flatMap((each) => [...each])).size).toBe(good.length);
    for (const [key, numbers] of order)
      expect({ seed, key, numbers }).toEqual({
        seed,
        key,
        numbers: good.filter((each) => each.key === key).map(({ n }) => n),
      });
    const letters = await rig.deadLetters(source);
    const bad = orders.filter((each) => !each.good).map(({ partition, offset }) => `${partition}:${offset}`);
    expect(new Set(letters.map(({ origin }) => `${origin.partition}:${origin.offset}`))).toEqual(new Set(bad));
    return events;
  }

  it('dies with records in flight, appended and unanswered ones among them, again and again: each good record is there, with one id, in order, and no offset is past one that is not', async () => {
    const random = seeded(seed);
    const topic = await rig.topic(PARTITIONS);
    const source = definitionOf(topic);
    const orders = ordersFor(PARTITIONS, RECORDS, random);
    await send(topic, orders);
    for (let crash = 0; crash < CRASHES; crash++) {
      const proxy = await proxied();
      const limit = 200 + Math.floor(random() * 600);
      const through = (output: Output): Output => {
        const gate = new Gate(output, limit);
        proxy.shouldCut = () => gate.acknowledged >= limit / 2;
        return gate;
      };
      const { relay } = rig.relay([source], { proxy, through, env: SHORT_SESSION });
      await relay.start();
      await rig.until('an answer to be cut off', () => proxy.cuts > 0);
      // Nothing of this one reaches Kafka any more: neither events nor offsets, nor that it leaves the group.
      await proxy.stop();
      expect(await committedIsLogged(source.name, topic, orders)).toBeGreaterThan(0);
    }
    const { relay, metrics } = rig.relay([source]);
    await relay.start();
    await allDone(source.name, topic, orders);
    const events = await expectAll(source.name, orders);
    // What was appended and not answered is there twice.
    expect(events.length).toBeGreaterThan(orders.filter(({ good }) => good).length);
    expect(relay.readiness()).toBeUndefined();
    expect(relay.liveness()).toBeUndefined();
    expect(await metrics.text()).toMatch(new RegExp(`hookline_source_lag\\{source="${source.name}",role="relay"\\} 0`));
  });

  it('meets a Kafka that stops answering for longer than its session: it says so, and goes on where it was', async () => {
    const topic = await rig.topic(PARTITIONS);
    const source = definitionOf(topic);
    const orders = ordersFor(PARTITIONS, RECORDS, seeded(seed));
    const half = orders.slice(0, RECORDS / 2);
    await send(topic, half);
    const proxy = await proxied();
    const { relay } = rig.relay([source], { proxy, env: SHORT_SESSION });
    await relay.start();
    await rig.until('some events', async () => (await rig.events()).length > 0);
    for (const broker of rig.brokers) proxy.hold(broker);
    await send(topic, orders.slice(RECORDS / 2));
    await rig.until('its lease to end', () => /not in its consumer group/.test(relay.readiness() ?? ''));
    expect(await committedIsLogged(source.name, topic, orders)).toBeGreaterThan(0);
    for (const broker of rig.brokers) proxy.release(broker);
    await allDone(source.name, topic, orders);
    await expectAll(source.name, orders);
  });

  it('loses answers to its sends while it runs: sent again under the same ids, in order', async () => {
    const random = seeded(seed);
    const topic = await rig.topic(PARTITIONS);
    const source = definitionOf(topic);
    const orders = ordersFor(PARTITIONS, RECORDS, random);
    await send(topic, orders);
    const proxy = await proxied();
    proxy.shouldCut = () => proxy.cuts < 10 && random() < 0.3;
    const { relay } = rig.relay([source], { proxy });
    await relay.start();
    await allDone(source.name, topic, orders);
    expect(proxy.cuts).toBeGreaterThan(0);
    await expectAll(source.name, orders);
  });
});
