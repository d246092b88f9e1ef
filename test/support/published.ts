import { NotDurable, RangeReader, type Appended, type Output } from '@hookline/kafka';
import type { Admin, Kafka } from 'kafkajs';

/** What the publishers were told. */
export class Published {
  /** By id: where it is, as the pump has said. */
  readonly acknowledged = new Map<string, Appended>();
  readonly rejected = new Map<string, NotDurable>();
  /** By key: the ids in the order in which they were handed over. */
  readonly order = new Map<string, string[]>();
  private next = 0;

  constructor(
    private readonly output: Output,
    private readonly topic: string,
  ) {}

  /** Hands one over, and takes down what comes of it; never rejects. */
  async publish(key: string | null, deadlineMs?: number): Promise<void> {
    const id = `evt_${this.next++}`;
    if (key !== null) this.order.set(key, [...(this.order.get(key) ?? []), id]);
    try {
      const record = { topic: this.topic, key, value: Buffer.alloc(200, 'x'), headers: { id } };
      this.acknowledged.set(id, await this.output.produce(record, deadlineMs));
    } catch (error) {
      this.rejected.set(id, error as NotDurable);
    }
  }

  /**
   * Publishers that each hand over their records in windows, every second window with the publisher's key, until
   * `enough` says so.
   */
  async run(publishers: number, window: number, enough: () => boolean): Promise<void> {
    const publisher = async (number: number): Promise<void> => {
      for (let round = 0; !enough(); round += 1) {
        const key = round % 2 === 0 ? `key-${number}` : null;
        await Promise.all(Array.from({ length: window }, () => this.publish(key)));
      }
    };
    await Promise.all(Array.from({ length: publishers }, (_, number) => publisher(number)));
  }
}

export interface Found {
  /** By id: every place where the log has it. */
  places: Map<string, Appended[]>;
  /** By key: the ids in log order. */
  order: Map<string, string[]>;
}

/** The whole topic as it is in the log. */
export async function readTopic(kafka: Kafka, admin: Admin, topic: string): Promise<Found> {
  const ends = await admin.fetchTopicOffsets(topic);
  const ranges = ends.map(({ partition, low, high }) => ({ partition, from: Number(low), to: Number(high) }));
  const found: Found = { places: new Map(), order: new Map() };
  for await (const { partition, records } of new RangeReader(kafka).read(topic, ranges)) {
    for (const { offset, key, headers } of records) {
      const id = String(headers['id']);
      found.places.set(id, [...(found.places.get(id) ?? []), { partition, offset }]);
      if (key) found.order.set(String(key), [...(found.order.get(String(key)) ?? []), id]);
    }
  }
  return found;
}

const SHOWN = 20;

/** What is wrong between what publishers were told and what the log has: empty where all is well, and no more than a person reads. */
export function reconcile(published: Published, found: Found): string[] {
  const faults: string[] = [];
  for (const [id, at] of published.acknowledged) {
    const places = found.places.get(id) ?? [];
    if (places.length === 0) faults.push(`${id} was acknowledged at ${at.partition}:${at.offset} and is lost`);
    else if (!places.some(({ partition, offset }) => partition === at.partition && offset === at.offset)) {
      faults.push(`${id} was acknowledged at ${at.partition}:${at.offset} and is at ${JSON.stringify(places)}`);
    }
  }
  for (const [id, places] of found.places) if (places.length > 1) faults.push(`${id} is there ${places.length} times`);
  for (const [key, ids] of published.order) {
    const there = new Set(found.order.get(key));
    const expected = ids.filter((id) => there.has(id));
    if (JSON.stringify(expected) !== JSON.stringify(found.order.get(key))) faults.push(`${key} is out of order`);
  }
  return faults.slice(0, SHOWN);
}
