export interface Published {
  id: string;
  partition: number;
  offset: number;
}

export interface Attempt {
  number: number;
  startedAt: string;
  status: number | null;
  error: string | null;
  replayId: string | null;
}

export interface Delivery {
  id: string;
  state: string;
  reason: string | null;
  event: { id: string };
  attempts: Attempt[];
}

export interface Replay {
  id: string;
  status: string;
  delivered: number;
}

/** The calls of the tour, as a customer makes them. */
export class Client {
  constructor(
    private readonly ingestUrl: string,
    private readonly adminUrl: string,
    private readonly apiKey: string,
  ) {}

  async publish(events: readonly object[]): Promise<Published[]> {
    const answer = await this.call('POST', `${this.ingestUrl}/v1/events/batch`, { events });
    return (answer as { events: Published[] }).events;
  }

  subscribe(url: string, types: string[]): Promise<{ id: string; secret: string }> {
    return this.call('POST', `${this.adminUrl}/v1/webhooks/subscriptions`, { url, types }) as Promise<{
      id: string;
      secret: string;
    }>;
  }

  async deliveries(subscriptionId: string, state: string): Promise<Delivery[]> {
    const query = new URLSearchParams({ subscriptionId, state, limit: '200' });
    const page = await this.call('GET', `${this.adminUrl}/v1/deliveries?${query}`);
    return (page as { items: Delivery[] }).items;
  }

  delivery(id: string): Promise<Delivery> {
    return this.call('GET', `${this.adminUrl}/v1/deliveries/${id}`) as Promise<Delivery>;
  }

  startReplay(offsets: Readonly<Record<string, number>>, subscriptionId: string): Promise<Replay> {
    const body = { topic: 'hookline.events', from: { offsets }, subscriptionIds: [subscriptionId] };
    return this.call('POST', `${this.adminUrl}/v1/replays`, body) as Promise<Replay>;
  }

  replay(id: string): Promise<Replay> {
    return this.call('GET', `${this.adminUrl}/v1/replays/${id}`) as Promise<Replay>;
  }

  private async call(method: string, url: string, body?: object): Promise<unknown> {
    const headers = { authorization: `Bearer ${this.apiKey}`, ...(body ? { 'content-type': 'application/json' } : {}) };
    const response = await fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }
}
