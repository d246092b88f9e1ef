import type { RelayConfig } from '@hookline/config';
import { connectionOptions, Session } from '@hookline/persistence';

/** Times the time that a relay may have to wait for Kafka: what says nothing for longer is frozen, or out of reach. */
const SILENCE_FACTOR = 2;
const SHORTEST_SILENCE_MS = 60_000;

/**
 * What makes PostgreSQL end a session, and so free its locks, when nobody is there any more: a machine that vanished
 * says nothing, and a process that is frozen keeps its connection. Those before 14 don't know the first one.
 */
const LIMITS = `
  SELECT set_config(limits.name, limits.value, false)
  FROM unnest($1::text[], $2::text[]) AS limits (name, value) JOIN pg_settings USING (name)`;

/** A session with the producer's database that is lost when either side no longer answers. @throws what pg throws */
export async function openOutboxSession(config: RelayConfig): Promise<Session> {
  const { databaseTimeoutMs, patienceMs } = config;
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
    idle_session_timeout: `${Math.max(SHORTEST_SILENCE_MS, SILENCE_FACTOR * patienceMs)}ms`,
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
