import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

/** What the recorder has put into PostgreSQL. */
export class Recorded {
  private readonly client: pg.Client;

  constructor(
    databaseUrl: string,
    private readonly tenantId: string,
  ) {
    this.client = new pg.Client({ connectionString: databaseUrl });
  }

  async open(): Promise<string> {
    await this.client.connect();
    const { rows } = await this.client.query<{ version: string }>(
      "SELECT current_setting('server_version') AS version",
    );
    return rows[0]?.version ?? 'unknown';
  }

  close(): Promise<void> {
    return this.client.end();
  }

  /** Which of the events are not there, or not delivered as far as it says, however long one waits for it. */
  async missing(ids: ReadonlySet<string>, deadlineMs: number): Promise<string[]> {
    const end = Date.now() + deadlineMs;
    for (;;) {
      const late = Date.now() > end;
      if (late || (await this.deliveredCount()) >= ids.size) {
        const delivered = await this.deliveredIds();
        const missing = [...ids].filter((id) => !delivered.has(id));
        if (late || missing.length === 0) return missing;
      }
      await pause(1_000);
    }
  }

  private async deliveredCount(): Promise<number> {
    const { rows } = await this.client.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM deliveries WHERE tenant_id = $1 AND state = 'delivered'",
      [this.tenantId],
    );
    return rows[0]?.count ?? 0;
  }

  private async deliveredIds(): Promise<Set<string>> {
    const { rows } = await this.client.query<[string]>({
      text: `SELECT e.event_id FROM events e
             JOIN deliveries d ON d.event_partition = e.partition AND d.event_offset = e."offset" AND d.event_at = e.appended_at
             WHERE e.tenant_id = $1 AND d.state = 'delivered'`,
      values: [this.tenantId],
      rowMode: 'array',
    });
    return new Set(rows.map(([id]) => id));
  }
}
