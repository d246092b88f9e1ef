/** An answer that wasn't the one the caller needs; says what came. */
export class UnexpectedAnswer extends Error {
  override name = 'UnexpectedAnswer';
  constructor(
    readonly status: number,
    readonly body: unknown,
    what: string,
  ) {
    super(`${what} answered ${status}: ${JSON.stringify(body)}`);
  }
}

export interface PublishedEvent {
  id: string;
  partition: number;
  offset: number;
}

export interface NewEvent {
  id?: string;
  type: string;
  time?: string;
  key?: string;
  data: unknown;
}

export interface DeliveryView {
  id: string;
  state: string;
  subscriptionId: string;
  attempts?: { number: number; status?: number; error?: string; replayId?: string }[];
}

export interface NewSubscription {
  url: string;
  types?: string[];
  headers?: Record<string, string>;
  ordering?: 'none' | 'key';
  /** `burst`: what a second brings, where it is left out. */
  rateLimit?: { perSecond: number; burst?: number } | null;
  maxInFlight?: number | null;
}

/** Hookline's HTTP API as a customer uses it. Every method throws {@link UnexpectedAnswer} for any but the good answer. */
export class HooklineApi {
  constructor(
    private readonly ingestUrl: string,
    private readonly adminUrl: string,
    private readonly token: string,
  ) {}

  /** The same place with another bearer. */
  as(token: string): HooklineApi {
    return new HooklineApi(this.ingestUrl, this.adminUrl, token);
  }

  /** The same bearer at another ingest node. */
  through(ingestUrl: string): HooklineApi {
    return new HooklineApi(ingestUrl, this.adminUrl, this.token);
  }

  publish(event: NewEvent): Promise<PublishedEvent> {
    return this.ingest('POST', '/v1/events', event) as Promise<PublishedEvent>;
  }

  async publishBatch(events: readonly NewEvent[]): Promise<PublishedEvent[]> {
    const answer = (await this.ingest('POST', '/v1/events/batch', { events })) as { events: PublishedEvent[] };
    return answer.events;
  }

  createTenant(name: string): Promise<{ id: string }> {
    return this.admin('POST', '/v1/tenants', { name }) as Promise<{ id: string }>;
  }

  createKey(tenantId: string, name: string): Promise<{ id: string; key: string }> {
    return this.admin('POST', `/v1/tenants/${tenantId}/keys`, { name }) as Promise<{ id: string; key: string }>;
  }

  subscribe(subscription: NewSubscription): Promise<{ id: string; secret: string }> {
    return this.admin('POST', '/v1/webhooks/subscriptions', subscription) as Promise<{ id: string; secret: string }>;
  }

  /** Any call of the admin API; the body of its answer. */
  async admin(method: string, path: string, body?: unknown): Promise<unknown> {
    return call(this.adminUrl, this.token, method, path, body);
  }

  /** Any call of ingest; the body of its answer. */
  async ingest(method: string, path: string, body?: unknown): Promise<unknown> {
    return call(this.ingestUrl, this.token, method, path, body);
  }
}

async function call(base: string, token: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(new URL(path, base), {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const parsed: unknown = text === '' ? undefined : JSON.parse(text);
  if (!response.ok) throw new UnexpectedAnswer(response.status, parsed, `${method} ${path}`);
  return parsed;
}
