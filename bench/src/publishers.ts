import { LeanClient } from './lean/lean-client.js';
import { sharedNow } from './machine.js';

/** An event that was answered with 202. */
export interface Sent {
  id: string;
  /** On the shared clock, ms: before the request, and after its answer. */
  begin: number;
  end: number;
}

export interface PublishedLoad {
  sent: Sent[];
  /** Answers other than 202, by status; 0 is a connection that broke. Such an event may have been delivered. */
  refused: Record<number, number>;
}

const DATA_BYTES = 1_024;
const PAD = 'x'.repeat(DATA_BYTES);

/** How events are named: not at all, or each with an id and an ordering key of its own. */
export type Naming = 'unnamed' | 'distinct';

/** Publishes as many customers would, each event in a request of its own. */
export class Publishers {
  private readonly client: LeanClient;
  private number = 0;

  constructor(
    ingestUrl: string,
    apiKey: string,
    private readonly run: string,
    concurrency: number,
  ) {
    const headers = [`authorization: Bearer ${apiKey}`, 'content-type: application/json'];
    this.client = new LeanClient(new URL(ingestUrl), '/v1/events', headers, concurrency);
  }

  /** Each of `concurrency` publishers sends its next event when the last one was answered. */
  async closedLoop(concurrency: number, seconds: number, naming: Naming): Promise<PublishedLoad> {
    const load: PublishedLoad = { sent: [], refused: {} };
    const until = sharedNow() + seconds * 1_000;
    const publisher = async (): Promise<void> => {
      while (sharedNow() < until) await this.publish(load, naming);
    };
    await Promise.all(Array.from({ length: concurrency }, publisher));
    return load;
  }

  /** A steady rate, whatever the answers: who is slow is not asked less. */
  async openLoop(rate: number, seconds: number): Promise<PublishedLoad> {
    const load: PublishedLoad = { sent: [], refused: {} };
    const begin = sharedNow();
    const total = rate * seconds;
    const pending: Promise<void>[] = [];
    while (pending.length < total) {
      const due = Math.min(total, Math.floor(((sharedNow() - begin) * rate) / 1_000) + 1);
      while (pending.length < due) pending.push(this.publish(load, 'unnamed'));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(pending);
    return load;
  }

  close(): void {
    this.client.close();
  }

  private async publish(load: PublishedLoad, naming: Naming): Promise<void> {
    const begin = sharedNow();
    const { status, body } = await this.client.post(this.body(naming));
    if (status === 202) load.sent.push({ id: (JSON.parse(body) as { id: string }).id, begin, end: sharedNow() });
    else load.refused[status] = (load.refused[status] ?? 0) + 1;
  }

  private body(naming: Naming): string {
    const n = (this.number += 1);
    const names = naming === 'unnamed' ? '' : `"id":"${this.run}-${n}","key":"customer-${n}",`;
    const start = `{"n":${n},"pad":"`;
    return `{${names}"type":"bench.event","data":${start}${PAD.slice(start.length + 2)}"}}`;
  }
}
