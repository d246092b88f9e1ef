import { SHARDS } from '@hookline/outbox';
import type { Session } from '@hookline/persistence';

/** Beyond the shards: each relay holds this lock with all the others, so that they can be counted. */
const MEMBER = 1_000;

/** The table's own number is the first half of the locks: no other outbox of the database has it. */
const TABLE = 'SELECT to_regclass($1)::oid::bigint::text AS oid';

const LOCKS = `
  SELECT objid::int AS lock, pid = pg_backend_pid() AS mine FROM pg_locks
  WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND objsubid = 2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** The table is not there, or out of sight. */
export class OutboxMissing extends Error {
  override name = 'OutboxMissing';
  constructor() {
    super(
      'There is no table hookline_outbox in the search path: make it with `hookline outbox-schema | psql`, and let this user select and delete there.',
    );
  }
}

/**
 * The shards that this relay drains. A shard belongs to whoever holds its lock, and a lock lives no longer than the
 * session; relays look around now and then, and each leaves what is above its equal part to the others.
 */
export class ShardLocks {
  private held: number[] = [];

  private constructor(
    private readonly session: Pick<Session, 'query'>,
    private readonly oid: string,
  ) {}

  /** @throws OutboxMissing */
  static async join(session: Pick<Session, 'query'>): Promise<ShardLocks> {
    const [table] = await session.query<{ oid: string | null }>(TABLE, ['hookline_outbox']);
    if (!table?.oid) throw new OutboxMissing();
    const locks = new ShardLocks(session, table.oid);
    await locks.call('SELECT pg_advisory_lock_shared($1::bigint::oid::int, $2)', MEMBER);
    return locks;
  }

  get owned(): readonly number[] {
    return this.held;
  }

  /**
   * Takes free shards up to this relay's part, or leaves some. Only while none of their rows is on its way.
   * @throws Error if locks don't live as long as the session
   */
  async share(): Promise<void> {
    const locks = await this.session.query<{ lock: number; mine: boolean }>(LOCKS, [this.oid]);
    const members = locks.filter(({ lock }) => lock === MEMBER);
    if (!members.some(({ mine }) => mine))
      throw new Error('the locks of this session are gone: is there a pooler between the relay and PostgreSQL?');
    const part = Math.ceil(SHARDS / members.length);
    const shards = locks.filter(({ lock }) => lock < SHARDS);
    this.held = shards.filter(({ mine }) => mine).map(({ lock }) => lock);
    for (const shard of this.held.slice(part)) await this.leave(shard);
    const taken = new Set(shards.map(({ lock }) => lock));
    for (let shard = 0; shard < SHARDS && this.held.length < part; shard++)
      if (!taken.has(shard)) await this.take(shard);
  }

  private async take(shard: number): Promise<void> {
    const [row] = await this.call<{ held: boolean }>(
      'SELECT pg_try_advisory_lock($1::bigint::oid::int, $2) AS held',
      shard,
    );
    if (row?.held) this.held.push(shard);
  }

  private async leave(shard: number): Promise<void> {
    this.held = this.held.filter((other) => other !== shard);
    await this.call('SELECT pg_advisory_unlock($1::bigint::oid::int, $2)', shard);
  }

  private call<R extends Record<string, unknown>>(sql: string, lock: number): Promise<R[]> {
    return this.session.query<R>(sql, [this.oid, lock]);
  }
}
