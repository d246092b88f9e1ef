import { OrderedStream } from './ordered-stream.js';
import type { OrderedEvent, OrderedWork } from './ordered-work.js';
import { Outstanding } from './outstanding.js';

/** The events that are not through: by stream, which is a key of a subscription or of a replay, and how many there are. */
export class OrderedStreams<W extends OrderedWork> {
  private readonly streams = new Map<string, OrderedStream<W>>();
  private count = 0;
  /** How many each subscription or replay has. */
  private readonly countOf = new Map<string, number>();

  /** Events that are not through. */
  get outstanding(): number {
    return this.count;
  }

  /** Subscriptions and replays that have any of those. */
  get sharers(): number {
    return this.countOf.size;
  }

  get(event: OrderedEvent): OrderedStream<W> | undefined {
    return this.streams.get(nameOf(event));
  }

  find(event: OrderedEvent): Outstanding<W> | undefined {
    return this.get(event)?.find(event.source);
  }

  /** Its stream, made where there is none. */
  of(event: OrderedEvent): OrderedStream<W> {
    const name = nameOf(event);
    let stream = this.streams.get(name);
    if (stream === undefined) this.streams.set(name, (stream = new OrderedStream(name, event.group)));
    return stream;
  }

  /** A copy: who goes through them may end some. */
  all(): OrderedStream<W>[] {
    return [...this.streams.values()];
  }

  begin(stream: OrderedStream<W>, { source, epoch }: OrderedEvent): Outstanding<W> {
    const outstanding = new Outstanding<W>(source, epoch);
    stream.add(outstanding);
    this.count++;
    this.countOf.set(stream.group, (this.countOf.get(stream.group) ?? 0) + 1);
    return outstanding;
  }

  end(stream: OrderedStream<W>, outstanding: Outstanding<W>): void {
    stream.remove(outstanding);
    this.count--;
    const left = (this.countOf.get(stream.group) ?? 0) - 1;
    if (left > 0) this.countOf.set(stream.group, left);
    else this.countOf.delete(stream.group);
  }

  /** One in which nothing is outstanding. */
  forget(stream: OrderedStream<W>): void {
    this.streams.delete(stream.name);
  }
}

const nameOf = ({ group, key }: OrderedEvent): string => `${group}\0${key}`;
