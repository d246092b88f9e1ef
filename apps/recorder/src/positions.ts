import type { PositionStore } from '@hookline/kafka';
import { offsetKey, readOffsets, schemaState, type Queryable } from '@hookline/persistence';
import type { Pool } from 'pg';
import type { DatabaseStatus } from './database-status.js';

interface Partition {
  topic: string;
  partition: number;
}

/** The next offset of each partition as this process believes it to be in PostgreSQL; Kafka's own do not count. */
export class Positions implements PositionStore {
  private readonly known = new Map<string, number>();
  private schemaChecked = false;

  constructor(
    private readonly pool: Pool,
    private readonly status: DatabaseStatus,
  ) {}

  /**
   * What the database says now; that is also what is believed from now on. A partition of which nothing was written is
   * left out. Rejects while the database isn't there, or isn't of this release.
   */
  async read(partitions: readonly Partition[]): Promise<ReadonlyMap<string, number>> {
    try {
      await this.checkSchema();
      const stored = await readOffsets(this.pool, partitions);
      this.status.works();
      for (const partition of partitions) this.set(partition, stored.get(offsetKey(partition)) ?? 0);
      return new Map([...stored].filter(([, next]) => next > 0));
    } catch (error) {
      this.status.fails(error);
      throw error;
    }
  }

  /** Undefined: not read, or given up; nothing of that partition may be written then. */
  get(partition: Partition): number | undefined {
    return this.known.get(offsetKey(partition));
  }

  set(partition: Partition, next: number): void {
    this.known.set(offsetKey(partition), next);
  }

  /** Until it is read again. */
  giveUp(partition: Partition): void {
    this.known.delete(offsetKey(partition));
  }

  private async checkSchema(): Promise<void> {
    if (this.schemaChecked) return;
    const { pool } = this;
    const rows = async (sql: string, values?: unknown[]): Promise<unknown> => (await pool.query(sql, values)).rows;
    const state = await schemaState({ query: rows as Queryable['query'] });
    if (state === 'older') throw new Error("the database's schema is older than this release: run `hookline setup`");
    if (state === 'newer') throw new Error("the database's schema is newer than this release of Hookline");
    this.schemaChecked = true;
  }
}
