import pg from 'pg';
import type { Fault } from '../fault.js';
import type { Site } from '../site/site.js';

const ALL = { finds: 'history', repeatsNothing: true, lasts: [8, 20] } as const;
/** As many as it takes, whatever the limit. */
const MOST = 1_000;

const stopped: Fault = {
  ...ALL,
  name: 'postgres-stopped',
  about: 'PostgreSQL ends as in a crash',
  strike: async ({ site }) => {
    await site.postgres.kill();
    return () => site.postgres.restart();
  },
};

const hung: Fault = {
  ...ALL,
  name: 'postgres-hung',
  about: 'PostgreSQL accepts connections and never answers',
  needs: ['database-proxy'],
  strike: async ({ site }) => {
    site.databaseProxy.hang();
    return async () => site.databaseProxy.restore();
  },
};

const full: Fault = {
  ...ALL,
  name: 'postgres-full',
  about: 'PostgreSQL has no connection left, and those of the roles are cut',
  strike: async ({ site, note }) => {
    const taken = await takeAll(site);
    note(`${taken.length} connections taken`);
    return async () => {
      await Promise.all(taken.map((client) => client.end().catch(() => undefined)));
    };
  },
};

/** Takes every connection, and those of the roles as soon as they are cut. */
async function takeAll(site: Site): Promise<pg.Client[]> {
  const taken: pg.Client[] = [];
  const more = async (): Promise<boolean> => {
    const client = new pg.Client({ connectionString: site.databaseUrl, application_name: 'faults' });
    client.on('error', () => undefined);
    const connected = await client.connect().then(
      () => true,
      () => false,
    );
    if (connected) taken.push(client);
    return connected;
  };
  while (taken.length < MOST && (await more()));
  await taken[0]?.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE backend_type = 'client backend' AND application_name <> 'faults'`,
  );
  while (taken.length < MOST && (await more()));
  return taken;
}

export const DATABASE_FAULTS: readonly Fault[] = [stopped, hung, full];
