import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '@hookline/embedded';
import { DATABASE_VARIABLE } from '../database.js';
import type { Running } from './test-kafka.js';

/** Starts PostgreSQL in global set-up and leaves its URL in the environment. */
export async function startTestPostgres(): Promise<Running> {
  const dataDir = mkdtempSync(join(tmpdir(), 'hookline-postgres-'));
  const postgres = await EmbeddedPostgres.start({ dataDir, durable: false });
  process.env[DATABASE_VARIABLE] = postgres.url;
  return {
    stop: async () => {
      await postgres.destroy();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
