import type { ReplayStatus } from '../management/replay.entity.js';
import type { Queryable } from '../migrate.js';
import {
  DISCARDS,
  IS_EXPUNGED,
  ITS_SUBSCRIPTIONS,
  UNDER_WAY,
  WANTED,
  WANTED_PARAMETERS,
  wantedParameters,
  type DeadLetterFilter,
} from './dead-letter-sql.js';

/** "hdlt" as a number: whoever changes dead letters of a tenant holds this advisory lock meanwhile. */
const LOCK_KIND = 0x68646c74;

/**
 * What people do about dead letters, a batch at a time. Each is one statement in a transaction of the caller, and takes
 * what no other has taken: a repeat of the same request goes on where it ended.
 */
export class DeadLetterChanges {
  constructor(private readonly transaction: Queryable) {}

  /** Until the transaction ends nobody else changes this tenant's. */
  async lock(tenantId: string): Promise<void> {
    await this.transaction.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [LOCK_KIND, tenantId]);
  }

  /** Until the transaction ends the replay neither begins nor ends: `pending`, it takes what is chosen by then. */
  async statusOf(replayId: string): Promise<ReplayStatus | undefined> {
    const [row] = await this.transaction.query<{ status: ReplayStatus }[]>(
      'SELECT status FROM replays WHERE id = $1 FOR UPDATE',
      [replayId],
    );
    return row?.status;
  }

  /**
   * Picks those that can be sent for a replay.
   * @param lows where the log begins, by partition
   * @returns how many
   */
  choose(
    filter: DeadLetterFilter,
    replayId: string,
    lows: Readonly<Record<string, number>>,
    limit: number,
  ): Promise<number> {
    return this.count(CHOOSE, [...wantedParameters(filter), limit, replayId, JSON.stringify(lows)]);
  }

  /** @returns how many were discarded */
  discard(filter: DeadLetterFilter, auditId: string, limit: number): Promise<number> {
    return this.count(DISCARD, [...wantedParameters(filter), limit, auditId]);
  }

  private async count(sql: string, parameters: unknown[]): Promise<number> {
    const [row] = await this.transaction.query<{ count: string }[]>(sql, parameters);
    return Number(row?.count ?? 0);
  }
}

const parameter = (n: number): string => `$${WANTED_PARAMETERS + n}`;

const CHOOSE = `
  WITH chosen AS (
    INSERT INTO replay_choices (replay_id, event_partition, event_offset, subscription_id, delivery_id, event_at, letter_at)
    SELECT ${parameter(2)}::text, d.event_partition, d.event_offset, d.subscription_id, d.delivery_id, d.event_at, d.updated_at
      FROM (${ITS_SUBSCRIPTIONS}) s JOIN deliveries d ON d.subscription_id = s.id ${DISCARDS}
     WHERE ${WANTED} AND s.status = 'enabled' AND x.audit_id IS NULL AND NOT ${UNDER_WAY} AND NOT ${IS_EXPUNGED}
       AND d.event_offset >= coalesce((${parameter(3)}::jsonb->>(d.event_partition::text))::bigint, 0)
     LIMIT ${parameter(1)}
    RETURNING 1
  ) SELECT count(*) FROM chosen`;

const DISCARD = `
  WITH discarded AS (
    INSERT INTO dead_letter_discards AS known (delivery_id, event_at, letter_at, audit_id)
    SELECT d.delivery_id, d.event_at, d.updated_at, ${parameter(2)}::text
      FROM (${ITS_SUBSCRIPTIONS}) s JOIN deliveries d ON d.subscription_id = s.id ${DISCARDS}
     WHERE ${WANTED} AND x.audit_id IS NULL AND NOT ${UNDER_WAY}
     LIMIT ${parameter(1)}
    ON CONFLICT (delivery_id, event_at) DO UPDATE SET letter_at = excluded.letter_at, audit_id = excluded.audit_id
    RETURNING 1
  ) SELECT count(*) FROM discarded`;
