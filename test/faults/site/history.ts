import pg from 'pg';

const CONNECT_MS = 5_000;

/** What PostgreSQL has, read past every proxy. */
export class History implements AsyncDisposable {
  private readonly pool: pg.Pool;

  constructor(url: string) {
    this.pool = new pg.Pool({ connectionString: url, max: 2, connectionTimeoutMillis: CONNECT_MS });
    // It goes away in some faults, which is no fault of ours.
    this.pool.on('error', () => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.end();
  }

  /** By partition: the next offset that the recorder reads. */
  async recorded(topic: string): Promise<Map<number, number>> {
    const rows = await this.rows<{ partition: number; next: string }>(
      'SELECT partition, next_offset AS next FROM recorder_offsets WHERE topic = $1',
      [topic],
    );
    return new Map(rows.map(({ partition, next }) => [partition, Number(next)]));
  }

  /** How many deliveries of these subscriptions are in each state. */
  async counts(subscriptionIds: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.rows<{ state: string; n: number }>(
      'SELECT state, count(*)::int AS n FROM deliveries WHERE subscription_id = ANY($1) GROUP BY 1',
      [subscriptionIds],
    );
    return new Map(rows.map(({ state, n }) => [state, n]));
  }

  /** By event: the states of its deliveries to the subscription; more than one where the log has it more than once. */
  async statesOf(subscriptionId: string): Promise<Map<string, string[]>> {
    const rows = await this.rows<{ event_id: string; state: string }>(
      'SELECT event_id, state FROM deliveries WHERE subscription_id = $1',
      [subscriptionId],
    );
    const states = new Map<string, string[]>();
    for (const { event_id, state } of rows) states.set(event_id, [...(states.get(event_id) ?? []), state]);
    return states;
  }

  /** The ids of the tenant's events. */
  async events(tenantId: string): Promise<Set<string>> {
    const rows = await this.rows<{ event_id: string }>('SELECT event_id FROM events WHERE tenant_id = $1', [tenantId]);
    return new Set(rows.map(({ event_id }) => event_id));
  }

  /** Changes that are not in their topic yet. */
  async unpublished(): Promise<number> {
    return (await this.rows<{ n: number }>('SELECT count(*)::int AS n FROM outbox', []))[0]?.n ?? 0;
  }

  private async rows<R extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<R[]> {
    return (await this.pool.query<R>(text, [...values])).rows;
  }
}
