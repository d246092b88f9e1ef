import { setTimeout as pause } from 'node:timers/promises';
import { LeanClient } from '../../../bench/src/load/lean-client.js';
import type { Plan, Planned } from './plan.js';

/** Where the log has it, as the answer said. */
export interface Place {
  partition: number;
  offset: number;
}

export interface LoadOptions {
  ingestUrls: readonly string[];
  apiKey: string;
  publishers: number;
  /** Events a second, of all of them together. */
  rate: number;
  /** After so many acknowledged ones they trickle, until {@link Publishers.more} allows more. */
  events: number;
}

/** Longer than ingest waits for the brokers. */
const ANSWER_MS = 15_000;
const AGAIN_MS = 100;
const LOOK_MS = 10;
/** Events a second of those that trickle: a fault that lasts is to be met by some, and not to pile up a backlog. */
const TRICKLE = 20;
const GOOD = 202;
/** Not known to be durable, in a way or another: the same event is published again. */
const REPEATED = new Set([0, 429, 500, 502, 503, 504]);

/** Publishers that each repeat an event, with its id, until it is acknowledged; at another ingest node each time. */
export class Publishers {
  /** By the event's id. */
  readonly acknowledged = new Map<string, Place>();
  /** How often a publish was refused, cut off or left unanswered. */
  refusals = 0;
  /** Publishes that wait for their answer. */
  outstanding = 0;
  private stopping = false;
  private allowed: number;
  private readonly working: Promise<void>;

  constructor(
    private readonly options: LoadOptions,
    private readonly plan: Plan,
  ) {
    this.allowed = options.events;
    const all = Array.from({ length: options.publishers }, (_, publisher) => this.publish(publisher));
    this.working = Promise.all(all).then(() => undefined);
    // Who stops it hears of it; until then it must not end the process.
    this.working.catch(() => undefined);
  }

  /** So many more at the full rate. */
  more(events: number): void {
    this.allowed = this.acknowledged.size + events;
  }

  /** Begins nothing new, and waits until all that was begun is acknowledged. @throws Error where that takes too long */
  async stop(deadlineMs: number): Promise<void> {
    this.stopping = true;
    const late = pause(deadlineMs, undefined, { ref: false }).then(() => {
      throw new Error(`${this.outstanding} publishes were not acknowledged in ${deadlineMs} ms after the load`);
    });
    await Promise.race([this.working, late]);
  }

  private async publish(publisher: number): Promise<void> {
    const { ingestUrls, publishers } = this.options;
    const nodes = ingestUrls.map((url) => new Node(url, this.options.apiKey));
    await pause((publisher / publishers) * this.everyMs);
    for (let turn = publisher; !this.stopping;) {
      const begun = performance.now();
      const event = this.plan.take(publisher);
      this.outstanding += 1;
      for (;;) {
        const place = await (nodes[turn % nodes.length] as Node).publish(event);
        if (place) {
          this.acknowledged.set(event.id, place);
          break;
        }
        this.refusals += 1;
        turn += 1;
        await pause(AGAIN_MS);
      }
      this.outstanding -= 1;
      while (!this.stopping && performance.now() < begun + this.everyMs) await pause(LOOK_MS);
    }
    for (const node of nodes) node.close();
  }

  /** From one event of a publisher to its next at least, ms. */
  private get everyMs(): number {
    const { publishers, rate } = this.options;
    return (publishers * 1_000) / (this.acknowledged.size < this.allowed ? rate : TRICKLE);
  }
}

/** One publisher's connection to one ingest node. */
class Node {
  private client: LeanClient;

  constructor(
    private readonly url: string,
    private readonly apiKey: string,
  ) {
    this.client = this.connect();
  }

  /** @returns undefined where it is not known to be durable. @throws Error where it was refused for good */
  async publish({ id, type, key }: Planned): Promise<Place | undefined> {
    const body = JSON.stringify({
      id,
      type,
      ...(key === undefined ? {} : { key }),
      data: { id, pad: 'x'.repeat(200) },
    });
    const over = new AbortController();
    const late = pause(ANSWER_MS, 'late' as const, { signal: over.signal }).catch(() => 'late' as const);
    const answer = await Promise.race([this.client.post(body), late]);
    over.abort();
    if (answer === 'late') {
      this.client.close();
      this.client = this.connect();
      return undefined;
    }
    if (answer.status === GOOD) return JSON.parse(answer.body) as Place;
    if (REPEATED.has(answer.status)) return undefined;
    throw new Error(`${id} was answered with ${answer.status}: ${answer.body.slice(0, 300)}`);
  }

  close(): void {
    this.client.close();
  }

  private connect(): LeanClient {
    const headers = [`authorization: Bearer ${this.apiKey}`, 'content-type: application/json'];
    return new LeanClient(new URL(this.url), '/v1/events', headers, 1);
  }
}
