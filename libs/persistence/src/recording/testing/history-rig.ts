import { createTestDatabase, type TestDatabase } from '@hookline/testing';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../../data-source.js';
import { DayPartitions } from '../../history/day-partitions.js';
import { migrate } from '../../migrate.js';
import { createPool } from '../../pool.js';
import { databaseConfig } from '../../testing/database-config.js';
import type { OutcomeToRecord } from '../attempt-rows.js';
import { HistoryWriter, type WrittenRows } from '../history-writer.js';
import { readOffsets } from '../recorder-offsets.js';

const PARTITION = { topic: 'attempts', partition: 0 };
const never = new AbortController().signal;

/** A database of one's own, and a writer that is the only one to write there. */
export class HistoryRig {
  readonly days = new DayPartitions();
  private readonly writer: HistoryWriter;
  /** The stored offset of {@link PARTITION}; each batch moves it by one. */
  next = 0;

  private constructor(
    private readonly database: TestDatabase,
    readonly dataSource: DataSource,
    readonly pool: Pool,
  ) {
    this.writer = new HistoryWriter(pool, this.days);
  }

  static async open(): Promise<HistoryRig> {
    const database = await createTestDatabase();
    const dataSource = await createDataSource(databaseConfig(database.url)).initialize();
    await migrate(dataSource);
    const pool = createPool(databaseConfig(database.url), () => undefined);
    await readOffsets(pool, [PARTITION]);
    await pool.query("INSERT INTO tenants VALUES ('ten_1', 'One')");
    return new HistoryRig(database, dataSource, pool);
  }

  async write(...outcomes: OutcomeToRecord[]): Promise<WrittenRows> {
    const moves = [{ ...PARTITION, expected: this.next, next: this.next + 1 }];
    const rows = await this.writer.write({ moves, events: [], outcomes }, never);
    this.next += 1;
    return rows;
  }

  async close(): Promise<void> {
    await this.pool.end();
    await this.dataSource.destroy();
    await this.database.drop();
  }
}
