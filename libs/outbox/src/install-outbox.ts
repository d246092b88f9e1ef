import { DEFAULT_LIMITS, type OutboxLimits } from './names.js';
import { outboxSchema } from './schema.js';

/** A client of `pg`, or whatever else sends several statements without parameters as one. */
interface SimpleClient {
  query(sql: string): Promise<unknown>;
}

/**
 * Makes the outbox in a producer's database, or brings its functions up to date; safe to run at every start. All of it
 * is done, or nothing.
 */
export async function installOutbox(client: SimpleClient, limits: OutboxLimits = DEFAULT_LIMITS): Promise<void> {
  await client.query(outboxSchema(limits));
}
