import pg from 'pg';
import type { GoneRange } from '../fault.js';
import type { Place } from '../load/way.js';

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

  /** By id: where the log has the tenant's events; of one that it has more than once, where it first was. */
  async events(tenantId: string): Promise<Map<string, Place>> {
    const rows = await this.rows<{ event_id: string; partition: number; offset: string }>(
      'SELECT event_id, partition, "offset" FROM events WHERE tenant_id = $1 ORDER BY partition, "offset" DESC',
      [tenantId],
    );
    return new Map(rows.map(({ event_id, partition, offset }) => [event_id, { partition, offset: Number(offset) }]));
  }

  /** What the subscription has not got of the log, and may still get: the spans that have not ended. */
  async spansOf(subscriptionId: string): Promise<GoneRange[]> {
    const rows = await this.rows<{ from: Record<string, number>; to: Record<string, number> | null }>(
      `SELECT from_offsets AS "from", to_offsets AS "to" FROM held_spans
        WHERE subscription_id = $1 AND ended_at IS NULL`,
      [subscriptionId],
    );
    return rows.flatMap(({ from, to }) =>
      Object.entries(from).map(([partition, offset]) => ({
        partition: Number(partition),
        from: offset,
        to: to === null ? Infinity : (to[partition] ?? offset),
      })),
    );
  }

  /** Where the deliveries of the subscription stand that are held one by one. */
  async heldOf(subscriptionId: string): Promise<Place[]> {
    const rows = await this.rows<{ partition: number; offset: string }>(
      `SELECT event_partition AS partition, event_offset AS "offset" FROM deliveries
        WHERE subscription_id = $1 AND state = 'held'`,
      [subscriptionId],
    );
    return rows.map(({ partition, offset }) => ({ partition, offset: Number(offset) }));
  }

  /** By partition of the topic of subscriptions: the next version to be asked who learns of it late. */
  async versionsRead(): Promise<Map<number, number>> {
    const rows = await this.rows<{ partition: number; next: string }>(
      'SELECT partition, next_offset AS next FROM late_slice_positions',
      [],
    );
    return new Map(rows.map(({ partition, next }) => [partition, Number(next)]));
  }

  /** Versions of these subscriptions of which late learners are not made up for yet. */
  async slices(subscriptionIds: readonly string[]): Promise<number> {
    const rows = await this.rows<{ n: number }>(
      'SELECT count(*)::int AS n FROM late_slices WHERE subscription_id = ANY($1)',
      [subscriptionIds],
    );
    return rows[0]?.n ?? 0;
  }

  /** Changes that are not in their topic yet. */
  async unpublished(): Promise<number> {
    return (await this.rows<{ n: number }>('SELECT count(*)::int AS n FROM outbox', []))[0]?.n ?? 0;
  }

  private async rows<R extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<R[]> {
    return (await this.pool.query<R>(text, [...values])).rows;
  }
}
