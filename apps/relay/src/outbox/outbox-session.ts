import type { RelayConfig } from '@hookline/config';
import { connectionOptions, Session } from '@hookline/persistence';

/** How often it is looked what waits in the outbox, ms. */
export const LOOK_MS = 5_000;

/**
 * What makes PostgreSQL end a session, and so free its locks, when nobody is there any more: a machine that vanished
 * says nothing, and a process that is frozen keeps its connection. Those before 14 don't know the first one.
 */
const LIMITS = `
  SELECT set_config(limits.name, limits.value, false)
  FROM unnest($1::text[], $2::text[]) AS limits (name, value) JOIN pg_settings USING (name)`;

/** A session with the producer's database that is lost when either side no longer answers. @throws what pg throws */
export async function openOutboxSession(config: RelayConfig): Promise<Session> {
  const { databaseTimeoutMs, patienceMs, pollMs } = config;
  const options = connectionOptions({
    url: config.databaseUrl ?? '',
    tls: config.databaseTls,
    tlsCaFile: config.databaseTlsCaFile,
    poolSize: 1,
    connectTimeoutMs: databaseTimeoutMs,
    statementTimeoutMs: databaseTimeoutMs,
  });
  const session = await Session.open({ ...options, application_name: 'hookline-relay' }, databaseTimeoutMs);
  const limits = {
    // Nobody who works is silent for longer than it waits for Kafka, for rows, or between two looks.
    idle_session_timeout: `${2 * Math.max(patienceMs, pollMs, LOOK_MS) + databaseTimeoutMs}ms`,
    tcp_keepalives_idle: '10s',
    tcp_keepalives_interval: '5s',
    tcp_keepalives_count: '3',
  };
  try {
    await session.query(LIMITS, [Object.keys(limits), Object.values(limits)]);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}
