import { setTimeout as pause } from 'node:timers/promises';
import { sharedNow } from '../report/machine.js';
import { eventJson, type EventPlan } from './event-json.js';
import { LeanClient } from './lean-client.js';

/** An event that was answered with 202. */
export interface Sent {
  id: string;
  type: string;
  /** On the shared clock, ms: before the request, and after its answer. */
  begin: number;
  end: number;
}

export interface PublishedLoad {
  sent: Sent[];
  /** Answers other than 202, by status; 0 is a connection that broke. Such an event may have been delivered. */
  refused: Record<number, number>;
}

/** A remark for each answer that was no 202, so that a load that was smaller than it says is seen. */
export function remarkOn(refused: Record<number, number>): string[] {
  return Object.entries(refused).map(([status, count]) => `NOT ALL WAS PUBLISHED: ${count} answers were ${status}.`);
}

/** What the n-th event of a load is like, from 0. */
export type Plan = (n: number) => EventPlan;

const UNKNOWN_KEY = 401;
const KEY_KNOWN_MS = 60_000;
const PROBE_PAUSE_MS = 100;

/** Publishes as many customers of one tenant would, each event in a request of its own. */
export class Publishers {
  private readonly client: LeanClient;

  constructor(ingestUrl: string, apiKey: string, concurrency: number) {
    const headers = [`authorization: Bearer ${apiKey}`, 'content-type: application/json'];
    this.client = new LeanClient(new URL(ingestUrl), '/v1/events', headers, concurrency);
  }

  /** Until ingest knows the key. What it publishes meanwhile is of a type that nobody wants. */
  async untilKnown(): Promise<void> {
    const end = Date.now() + KEY_KNOWN_MS;
    for (;;) {
      const { status, body } = await this.client.post(eventJson({ type: 'bench.probe' }, 0));
      if (status === 202) return;
      if (status !== UNKNOWN_KEY || Date.now() > end) throw new Error(`ingest answered ${status} ${body}`);
      await pause(PROBE_PAUSE_MS);
    }
  }

  /** Each of `concurrency` publishers sends its next event when the last one was answered. */
  async closedLoop(concurrency: number, seconds: number, plan: Plan): Promise<PublishedLoad> {
    const load: PublishedLoad = { sent: [], refused: {} };
    const until = sharedNow() + seconds * 1_000;
    let n = 0;
    const publisher = async (): Promise<void> => {
      while (sharedNow() < until) await this.publish(load, n++, plan);
    };
    await Promise.all(Array.from({ length: concurrency }, publisher));
    return load;
  }

  /** A steady rate, whatever the answers: who is slow is not asked less. */
  async openLoop(rate: number, seconds: number, plan: Plan): Promise<PublishedLoad> {
    const load: PublishedLoad = { sent: [], refused: {} };
    const begin = sharedNow();
    const total = rate * seconds;
    const pending: Promise<void>[] = [];
    while (pending.length < total) {
      const due = Math.min(total, Math.floor(((sharedNow() - begin) * rate) / 1_000) + 1);
      while (pending.length < due) pending.push(this.publish(load, pending.length, plan));
      await pause(1);
    }
    await Promise.all(pending);
    return load;
  }

  close(): void {
    this.client.close();
  }

  private async publish(load: PublishedLoad, n: number, plan: Plan): Promise<void> {
    const event = plan(n);
    const json = eventJson(event, n);
    const begin = sharedNow();
    const { status, body } = await this.client.post(json);
    if (status === 202)
      load.sent.push({ id: (JSON.parse(body) as { id: string }).id, type: event.type, begin, end: sharedNow() });
    else load.refused[status] = (load.refused[status] ?? 0) + 1;
  }
}
