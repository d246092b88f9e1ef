import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

const PUBLISHED_MS = 60_000;
const LOOK_MS = 100;
const HISTORY_LOOK_MS = 1_000;

/** What management and the recorder have put into PostgreSQL. */
export class Database implements AsyncDisposable {
  private readonly client: pg.Client;
  private versionText = 'unknown';
  private isOpen = false;

  constructor(url: string) {
    this.client = new pg.Client({ connectionString: url });
  }

  async open(): Promise<void> {
    await this.client.connect();
    this.isOpen = true;
    this.versionText = (await this.query<{ v: string }>("SELECT current_setting('server_version') AS v"))[0]?.v ?? '';
  }

  /** Of PostgreSQL. */
  get version(): string {
    return this.versionText;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isOpen) await this.client.end();
  }

  /** Until every change of subscriptions and keys is in its topic: a worker that starts then knows all of them. */
  async untilPublished(): Promise<void> {
    const end = Date.now() + PUBLISHED_MS;
    while ((await this.count('SELECT count(*)::int AS n FROM outbox', [])) > 0) {
      if (Date.now() > end) throw new Error('changes of subscriptions are not in their topic yet');
      await pause(LOOK_MS);
    }
  }

  /** By partition of the topic of subscriptions: the next version to be asked who learns of it late. */
  async versionsRead(): Promise<Map<number, number>> {
    const rows = await this.query<{ partition: number; next: string }>(
      'SELECT partition, next_offset AS next FROM late_slice_positions',
    );
    return new Map(rows.map(({ partition, next }) => [partition, Number(next)]));
  }

  /** Versions of which late learners are not made up for yet. */
  lateSlices(): Promise<number> {
    return this.count('SELECT count(*)::int AS n FROM late_slices', []);
  }

  /** Until it is known of so many events what they matched, if that was none or several. */
  async untilRouted(events: number, deadlineMs: number): Promise<void> {
    const end = Date.now() + deadlineMs;
    while ((await this.count('SELECT count(*)::int AS n FROM event_routes', [])) < events) {
      if (Date.now() > end) throw new Error('the recorder has not written what the events matched');
      await pause(HISTORY_LOOK_MS);
    }
  }

  /** Which of the tenant's events are not there, or not delivered as far as it says, if one waits for it so long. */
  async undelivered(tenantId: string, ids: ReadonlySet<string>, deadlineMs: number): Promise<string[]> {
    const end = Date.now() + deadlineMs;
    for (;;) {
      const late = Date.now() > end;
      if (late || (await this.deliveredCount(tenantId)) >= ids.size) {
        const delivered = await this.deliveredIds(tenantId);
        const missing = [...ids].filter((id) => !delivered.has(id));
        if (late || missing.length === 0) return missing;
      }
      await pause(HISTORY_LOOK_MS);
    }
  }

  /** What has become of these subscriptions' deliveries, by event. */
  async statesOf(subscriptionIds: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.query<{ event_id: string; state: string }>(
      'SELECT event_id, state FROM deliveries WHERE subscription_id = ANY($1)',
      [subscriptionIds],
    );
    return new Map(rows.map((row) => [row.event_id, row.state]));
  }

  private deliveredCount(tenantId: string): Promise<number> {
    return this.count("SELECT count(*)::int AS n FROM deliveries WHERE tenant_id = $1 AND state = 'delivered'", [
      tenantId,
    ]);
  }

  private async deliveredIds(tenantId: string): Promise<Set<string>> {
    const { rows } = await this.client.query<[string]>({
      text: `SELECT e.event_id FROM events e
             JOIN deliveries d ON d.event_partition = e.partition AND d.event_offset = e."offset" AND d.event_at = e.appended_at
             WHERE e.tenant_id = $1 AND d.state = 'delivered'`,
      values: [tenantId],
      rowMode: 'array',
    });
    return new Set(rows.map(([id]) => id));
  }

  private async count(text: string, values: readonly unknown[]): Promise<number> {
    return (await this.query<{ n: number }>(text, values))[0]?.n ?? 0;
  }

  private async query<R extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    return (await this.client.query<R>(text, [...values])).rows;
  }
}
