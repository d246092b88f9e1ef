import {
  decodeDeadLetterHeaders,
  decodeOutcome,
  encodeDeadLetterHeaders,
  encodeDeliveryHeaders,
  encodeEventHeaders,
  encodeOutcome,
  encodeWideHeaders,
  retryTopic,
  TOPICS,
  type DeliveryEnvelope,
  type DeliveryState,
  type EarlierVersion,
  type EventEnvelope,
  type LogPosition,
  type SubscriptionRecord,
} from '@hookline/contracts';
import { deliveryIdOf, earlierThan, isLive, matchesType, versionAt, type OffsetRun } from '@hookline/domain';
import type { OffsetRange, Output, PartitionOffsets, ReadRecord } from '@hookline/kafka';
import type { Clock } from '@hookline/platform';
import type { Groups } from '../reconciler.js';
import type { KnownRecord } from '../matching.js';
import { OpenWork } from '../open-work.js';
import type { LookedAt } from '../source-log.js';

export const MODEL_GROUPS: Groups = { events: 'events', lanes: 'lanes', recorder: 'recorder' };

const TENANT = 'ten_model';
const LANES = [TOPICS.deliveries, TOPICS.replays, retryTopic(5_000)];
const PARTITIONS = 2;
const ENDS: readonly string[] = ['dead-lettered', 'held'];

/** A record that a worker has in hand, and what is left to do of it. */
interface Carrier {
  record: ReadRecord;
  event: EventEnvelope;
  source: LogPosition;
  /** By subscription: what is to be written still; undefined: nobody has decided yet. */
  parts: Map<string, (() => void)[] | undefined>;
}

/**
 * A Hookline in memory: workers that match, deliver, hand over, fail and crash, one random step at a time, also between any
 * two questions that somebody asks of the log.
 */
export class ModelLog implements LookedAt {
  /** Steps before each answer at most; 0: nothing moves while somebody looks. */
  pace = 0;
  /** Whether workers lose deliveries. */
  loses = false;
  /** Whether subscriptions are paused and enabled meanwhile. */
  changes = false;
  private time = 1_000_000;
  private readonly topics = new Map<string, ReadRecord[][]>();
  /** Offsets that are complete, by topic and partition: as the workers know, and as they have committed. */
  private complete = new Map<string, Set<number>>();
  private committed = new Map<string, Set<number>>();
  private carriers: Carrier[] = [];
  private readonly records = new Map<string, KnownRecord>();
  /** Versions that have their place in the log, and are not written yet. */
  private stamped: SubscriptionRecord[] = [];

  /** @param random from 0 (inclusive) to 1 */
  constructor(private readonly random: () => number) {
    for (const topic of [TOPICS.events, ...LANES, TOPICS.attempts, TOPICS.deadLetters])
      this.topics.set(
        topic,
        Array.from({ length: PARTITIONS }, () => []),
      );
  }

  readonly clock: Clock = {
    now: () => this.time,
    after: (ms, callback) => {
      this.time += ms;
      this.move();
      queueMicrotask(callback);
      return () => undefined;
    },
  };

  /** For whoever writes beside the workers, who take it up. */
  readonly output: Output = {
    produce: async ({ topic, headers = {}, value }) => {
      const record = this.append(topic, headers, 0, value ?? undefined);
      if (LANES.includes(topic)) this.carriers.push(this.inHand(record));
      return record;
    },
  };

  subscribe(id: string, types: string[]): void {
    this.stamp(id, { types, status: 'enabled' });
    this.publishStamped();
  }

  publish(): void {
    const id = `evt_${this.time}`;
    const type = this.random() < 0.7 ? 'order.created' : 'invoice.paid';
    const event = { tenant: TENANT, id, type, time: 'now' };
    const record = this.append(TOPICS.events, encodeEventHeaders(event), this.pick([0, 1]));
    this.carriers.push(this.carrierOf(record));
  }

  /** One random thing happens. */
  step(): void {
    const chance = this.random();
    if (chance < 0.05) this.publish();
    else if (chance < 0.2) this.commit();
    else if (chance < 0.22) this.crash();
    else if (chance < 0.25) this.publishStamped();
    else if (chance < 0.26 && this.changes) this.change(this.pick([...this.records.keys()]));
    else this.work();
  }

  /** A subscription is paused, or enabled: at first only its place in the log is taken. */
  change(id: string): void {
    const status = this.records.get(id)?.record.status === 'enabled' ? 'paused' : 'enabled';
    this.stamp(id, { status });
  }

  /** Everything that can be done is. */
  finish(): void {
    this.publishStamped();
    while (this.carriers.length > 0) this.work();
    this.commit();
  }

  /** The plain truth, by reading everything: what each event ended as, for each subscription that took it. */
  truth(): Map<string, DeliveryState | 'nothing'> {
    const ends = new Map<string, DeliveryState | 'nothing'>();
    for (const record of this.of(TOPICS.events).flat())
      for (const id of this.matched(this.carrierOf(record).event, record))
        ends.set(`${record.partition}:${record.offset} ${id}`, 'nothing');
    const told = [TOPICS.attempts, TOPICS.deadLetters].flatMap((topic) => this.of(topic).flat());
    for (const record of told.sort((a, b) => a.timestamp - b.timestamp)) {
      const { source, subscriptionId, state } = toldBy(record);
      const key = `${source.partition}:${source.offset} ${subscriptionId}`;
      const before = ends.get(key);
      const waits = state === 'pending' || state === 'retrying';
      if (before !== undefined && before !== 'delivered' && !(waits && ENDS.includes(before))) ends.set(key, state);
    }
    return ends;
  }

  subscriptions = async (): Promise<KnownRecord[]> => {
    this.move();
    return [...this.records.values()];
  };

  async lanes(): Promise<string[]> {
    this.move();
    return LANES;
  }

  async bounds(topic: string): Promise<PartitionOffsets[]> {
    this.move();
    return this.of(topic).map((records, partition) => ({ partition, low: 0, high: records.length }));
  }

  async at(topic: string, time: number): Promise<Map<number, number>> {
    this.move();
    return new Map(
      this.of(topic).map((records, partition) => {
        const found = records.findIndex(({ timestamp }) => timestamp >= time);
        return [partition, found === -1 ? records.length : found];
      }),
    );
  }

  async openWork(_group: string, topics: readonly string[]): Promise<Map<string, OpenWork>> {
    const work = new Map<string, OpenWork>();
    for (const topic of topics) {
      this.move();
      const committed = this.of(topic).map((records, partition) => {
        const done = this.committed.get(`${topic}/${partition}`) ?? new Set();
        let watermark = 0;
        while (done.has(watermark)) watermark += 1;
        const complete: OffsetRun[] = [...records.keys()]
          .filter((offset) => offset > watermark && done.has(offset))
          .map((offset) => ({ from: offset, to: offset + 1 }));
        return [partition, { watermark, complete }] as const;
      });
      work.set(topic, new OpenWork(new Map(committed)));
    }
    return work;
  }

  async each(topic: string, ranges: readonly OffsetRange[], take: (record: ReadRecord) => unknown): Promise<void> {
    this.move();
    for (const { partition, from, to } of ranges)
      for (const record of (this.of(topic)[partition] ?? []).slice(from, to)) {
        await take(record);
        this.move();
      }
  }

  async firstAt(topic: string, partition: number, low: number): Promise<number | undefined> {
    return this.of(topic)[partition]?.[low]?.timestamp;
  }

  private move(): void {
    for (let steps = Math.floor(this.random() * (this.pace + 1)); steps > 0; steps -= 1) this.step();
  }

  private of(topic: string): ReadRecord[][] {
    return this.topics.get(topic) as ReadRecord[][];
  }

  private append(
    topic: string,
    headers: ReadRecord['headers'],
    partition: number,
    value: Buffer = Buffer.from('{}'),
  ): ReadRecord {
    const records = this.of(topic)[partition] as ReadRecord[];
    this.time += 1;
    const record = { topic, partition, offset: records.length, timestamp: this.time, key: null, value, headers };
    records.push(record);
    return record;
  }

  private stamp(id: string, change: { types?: string[]; status: SubscriptionRecord['status'] }): void {
    const last = [...this.stamped].reverse().find((each) => each.id === id) ?? this.records.get(id)?.record;
    const holdsFrom = Object.fromEntries(
      this.of(TOPICS.events).map((records, partition) => [partition, records.length]),
    );
    const before: EarlierVersion[] = last === undefined ? [] : earlierThan(last, last.before ?? []);
    const rest = { tenant: TENANT, url: 'http://localhost/', sealed: '', types: last?.types ?? ['*'] };
    this.stamped.push({ v: 1, id, ...rest, ...change, version: (last?.version ?? 0) + 1, holdsFrom, before });
  }

  private publishStamped(): void {
    for (const record of this.stamped) this.records.set(record.id, { record, at: new Date((this.time += 1)) });
    this.stamped = [];
  }

  private matched({ type }: EventEnvelope, { partition, offset }: { partition: number; offset: number }): string[] {
    return [...this.records.values()].flatMap(({ record }) => {
      const { id, version, types, holdsFrom, before = [] } = record;
      const holding = versionAt([{ version, types, holdsFrom, live: isLive(record) }, ...before], partition, offset);
      return holding?.live === true && holding.types.some((pattern) => matchesType(pattern, type)) ? [id] : [];
    });
  }

  private carrierOf(record: ReadRecord): Carrier {
    const event = JSON.parse(String(record.headers['event'])) as EventEnvelope;
    const source = { partition: record.partition, offset: record.offset, at: record.timestamp };
    return { record, event, source, parts: new Map() };
  }

  private commit(): void {
    this.committed = new Map([...this.complete].map(([key, offsets]) => [key, new Set(offsets)]));
  }

  /** What was not committed is done again, from the start; nobody knows what was half written. */
  private crash(): void {
    this.complete = new Map([...this.committed].map(([key, offsets]) => [key, new Set(offsets)]));
    this.carriers = [TOPICS.events, ...LANES].flatMap((topic) =>
      this.of(topic)
        .flat()
        .filter(({ partition, offset }) => this.complete.get(`${topic}/${partition}`)?.has(offset) !== true)
        .map((record) => this.inHand(record)),
    );
  }

  private inHand(record: ReadRecord): Carrier {
    const carrier = this.carrierOf(record);
    if (record.topic === TOPICS.events) return carrier;
    const [partition, offset, at] = String(record.headers['source']).split(':').map(Number) as [number, number, number];
    const ids = record.headers['fan-out'] ?? JSON.stringify([String(record.headers['subscription'])]);
    const parts = new Map((JSON.parse(String(ids)) as string[]).map((id) => [id, undefined] as const));
    return { ...carrier, source: { partition, offset, at }, parts };
  }

  private work(): void {
    const carrier = this.pick(this.carriers);
    if (carrier === undefined) return;
    const { record, parts, event } = carrier;
    if (record.topic === TOPICS.events && parts.size === 0) {
      const ids = this.matched(event, record);
      for (const id of ids) parts.set(id, undefined);
      if (ids.length > 2) for (const [id, writes] of this.wide(carrier, ids)) parts.set(id, writes);
    }
    const open = this.pick([...parts.keys()]);
    if (open === undefined) return this.completed(carrier);
    const writes = parts.get(open) ?? this.fate(carrier, open);
    parts.set(open, writes);
    writes.splice(Math.floor(this.random() * writes.length), 1)[0]?.();
    if (writes.length === 0) parts.delete(open);
    if (parts.size === 0) this.completed(carrier);
  }

  private completed(carrier: Carrier): void {
    this.carriers.splice(this.carriers.indexOf(carrier), 1);
    const { topic, partition, offset } = carrier.record;
    const key = `${topic}/${partition}`;
    const offsets = this.complete.get(key) ?? new Set();
    this.complete.set(key, offsets.add(offset));
  }

  /** One record for all of them: the first has it to write. */
  private wide({ event, source }: Carrier, ids: string[]): Map<string, (() => void)[]> {
    const headers = encodeWideHeaders({ event, source, windowStart: 1, subscriptionIds: ids });
    const write = (): void => void this.carriers.push(this.inHand(this.append(TOPICS.deliveries, headers, 0)));
    return new Map(ids.map((id, i) => [id, i === 0 ? [write] : [() => undefined]]));
  }

  /** What becomes of a delivery now: what is to be written for that, in any order. */
  private fate({ event, source }: Carrier, subscriptionId: string): (() => void)[] {
    const chance = this.random();
    if (this.loses && chance < 0.05) return [() => undefined];
    const deliveryId = deliveryIdOf(event, source, subscriptionId);
    const envelope: DeliveryEnvelope = { event, source, subscriptionId, deliveryId, attempts: 0, history: [] };
    const tell = (state: DeliveryState) => (): void => {
      const { tenant, id: eventId, type } = event;
      const delivery = { id: deliveryId, subscriptionId, state };
      const value = encodeOutcome({ v: 1, tenant, eventId, type, source, delivery });
      this.append(TOPICS.attempts, {}, this.pick([0, 1]), value);
    };
    if (this.records.get(subscriptionId)?.record.status === 'paused') return [tell('held')];
    if (chance < 0.5) return [tell('delivered')];
    if (chance < 0.6) {
      const headers = encodeDeadLetterHeaders({ delivery: envelope, reason: 'expired' });
      return [() => void this.append(TOPICS.deadLetters, headers, 0), tell('dead-lettered')];
    }
    const lane = this.pick(LANES);
    const write = (): void =>
      void this.carriers.push(this.inHand(this.append(lane, encodeDeliveryHeaders(envelope), this.pick([0, 1]))));
    // What is put off for a short time is not told.
    return chance < 0.7 ? [write] : [write, tell(lane === TOPICS.deliveries ? 'pending' : 'retrying')];
  }

  private pick<T>(all: readonly T[]): T {
    return all[Math.floor(this.random() * all.length)] as T;
  }
}

function toldBy(record: ReadRecord): { source: LogPosition; subscriptionId: string; state: DeliveryState } {
  if (record.topic === TOPICS.deadLetters)
    return { ...decodeDeadLetterHeaders(record.headers).delivery, state: 'dead-lettered' };
  const { source, delivery } = decodeOutcome(record.value);
  if (delivery === undefined) throw new Error('the model tells of deliveries only');
  return { source, subscriptionId: delivery.subscriptionId, state: delivery.state };
}
