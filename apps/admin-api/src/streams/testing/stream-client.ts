import type { ApiAnswer, ApiClient } from '../../testing/api-client.js';

export interface StreamItem {
  id: string;
  type: string;
  key: string | null;
  partition: number;
  offset: number;
  data: unknown;
}

/** A client of the stream as docs/streams.md tells to write one: it keeps the last cursor, and polls again whatever happens. */
export class StreamClient {
  /** Everything that came, in its order, repeats included. */
  readonly items: StreamItem[] = [];
  /** The answers that were none, by their status. */
  readonly refused: number[] = [];
  cursor: string | undefined;

  /** @param query besides the cursor */
  constructor(
    public api: ApiClient,
    private readonly query: string,
  ) {}

  /** Polls once; an answer that says to come again later changes nothing. */
  async poll(more = ''): Promise<ApiAnswer> {
    const where = this.cursor === undefined ? '' : `&cursor=${this.cursor}`;
    const answer = await this.api.get(`/v1/streams/events?${this.query}${where}${more}`);
    if (answer.status === 200) {
      this.items.push(...(answer.body['items'] as StreamItem[]));
      this.cursor = String(answer.body['cursor']);
    } else this.refused.push(answer.status);
    return answer;
  }

  get ids(): string[] {
    return this.items.map(({ id }) => id);
  }

  /** By key, the ids as they came. */
  byKey(): Map<string, string[]> {
    const keys = new Map<string, string[]>();
    for (const { key, id } of this.items) keys.set(String(key), [...(keys.get(String(key)) ?? []), id]);
    return keys;
  }
}

/** How many polls wait in the process that listens there. */
export async function waitingPolls(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^hookline_stream_waiting\{[^}]*\} (\d+)$/m.exec(text)?.[1]);
}
