import { setTimeout as pause } from 'node:timers/promises';
import { LeanClient } from '../../../bench/src/load/lean-client.js';
import type { Planned } from './plan.js';
import type { Place, Way } from './way.js';

/** Longer than ingest waits for the brokers. */
const ANSWER_MS = 15_000;
const GOOD = 202;
/** Not known to be durable, in a way or another: the same event is published again. */
const REPEATED = new Set([0, 429, 500, 502, 503, 504]);

/** A publisher's connections to the ingest nodes: to another one after each that failed. */
export class HttpWay implements Way {
  private readonly nodes: Node[];

  constructor(
    ingestUrls: readonly string[],
    apiKey: string,
    /** The node to begin with, counted on past the last one. */
    private turn: number,
  ) {
    this.nodes = ingestUrls.map((url) => new Node(url, apiKey));
  }

  async publish(event: Planned): Promise<Place | undefined> {
    const place = await (this.nodes[this.turn % this.nodes.length] as Node).publish(event);
    if (!place) this.turn += 1;
    return place;
  }

  close(): void {
    for (const node of this.nodes) node.close();
  }
}

/** A connection to one ingest node. */
class Node {
  private client: LeanClient;

  constructor(
    private readonly url: string,
    private readonly apiKey: string,
  ) {
    this.client = this.connect();
  }

  /** @returns undefined where it is not known to be durable. @throws Error where it was refused for good */
  async publish({ id, type, key, data }: Planned): Promise<Place | undefined> {
    const body = JSON.stringify({ id, type, ...(key === undefined ? {} : { key }), data });
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
