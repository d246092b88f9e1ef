import { TOPICS, type DeadLetterReason, type DeliveryState, type LogPosition } from '@hookline/contracts';
import type { FailingConfig } from '@hookline/config';
import { newId } from '@hookline/domain';
import {
  connectionOptions,
  createPool,
  DayPartitions,
  HistoryWriter,
  readOffsets,
  Session,
  type OutcomeToRecord,
} from '@hookline/persistence';
import type { Logger } from '@hookline/platform';
import { TestClock } from '@hookline/testing';
import type { Pool } from 'pg';
import { FailureKeeper } from '../keepers/failure-keeper.js';
import { adminSettings } from './admin-rig.js';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

/** What a worker tells of a delivery. */
export interface Told {
  state: DeliveryState;
  reason?: DeadLetterReason;
  /** Of a random one if absent. */
  event?: { id: string; type: string; tenant: string } & LogPosition;
  deliveryId?: string;
  /** False: it was put off. */
  attempted?: boolean;
  /** Its endpoint is gone, said to this version. */
  gone?: number;
}

const PARTITIONS = [0, 1] as const;
const ATTEMPTS = PARTITIONS.map((partition) => ({ topic: TOPICS.attempts, partition }));

/**
 * The keeper over a database, in a log of which the test says what time it is: `hookline.attempts` has two partitions here,
 * and is played by two lists, of which {@link record} does what a recorder does.
 */
export class FailingRig {
  readonly clock = new TestClock();
  readonly warned: object[] = [];
  readonly keeper: FailureKeeper;
  /** Whether attempts get out of here: each hour something succeeds to others. */
  isOnline = true;
  private readonly attempts: readonly [OutcomeToRecord[], OutcomeToRecord[]] = [[], []];
  private readonly recorded: [number, number] = [0, 0];
  private told = 0;

  private constructor(
    /** The log's time, ms since the epoch. */
    public now: number,
    readonly rules: FailingConfig,
    readonly pool: Pool,
    private readonly session: Session,
  ) {
    const note = (facts: object): unknown => this.warned.push(facts);
    const logger: Logger = { debug: () => undefined, info: () => undefined, warn: note, error: note };
    const bounds = async () =>
      PARTITIONS.map((partition) => ({ partition, low: 0, high: this.attempts[partition].length }));
    const logTime = async (): Promise<number> => this.now;
    this.keeper = new FailureKeeper({ log: { bounds }, logTime, clock: this.clock, logger }, rules);
  }

  static async open(databaseUrl: string, now: number, env: Record<string, string> = {}): Promise<FailingRig> {
    const { database, failing } = adminSettings(databaseUrl, env);
    const pool = createPool(database, () => undefined);
    await readOffsets(pool, ATTEMPTS);
    return new FailingRig(now, failing, pool, await Session.open(connectionOptions(database)));
  }

  async close(): Promise<void> {
    await this.session.close();
    await this.pool.end();
  }

  /** An enabled subscription of a new tenant. */
  async subscribe(): Promise<string> {
    const [tenant, id] = [newId('ten'), newId('sub')];
    await this.pool.query(`INSERT INTO tenants (id, name) VALUES ($1, 'a')`, [tenant]);
    await this.pool.query(
      `INSERT INTO subscriptions (id, tenant_id, url, types, status, sealed, version)
       VALUES ($1, $2, 'https://example.com/', '{*}', 'enabled', '', 1)`,
      [id, tenant],
    );
    return id;
  }

  /** A worker says something in the log, where it is {@link now}. */
  tell(subscriptionId: string, told: Told, into: 0 | 1 = 0): void {
    const offset = this.told;
    this.told += 1;
    const event = told.event ?? { id: 'evt_1', type: 'a.b', tenant: 'ten_1', partition: 0, offset, at: this.now };
    const attempt = { id: 'a', number: 1, at: this.now, durationMs: 1, status: told.state === 'delivered' ? 200 : 500 };
    const delivery = {
      id: told.deliveryId ?? `msg_${offset.toString(16).padStart(32, '0')}`,
      subscriptionId,
      state: told.state,
      ...(told.reason === undefined ? {} : { reason: told.reason }),
      ...(told.attempted === false ? {} : { attempt }),
    };
    const { id: eventId, type, tenant, partition, offset: at, at: eventAt } = event;
    const source = { partition, offset: at, at: eventAt };
    const position = { partition: into, offset: this.attempts[into].length, at: this.now };
    const gone = told.gone === undefined ? {} : { gone: { subscriptionId, version: told.gone } };
    this.attempts[into].push({ position, outcome: { v: 1, tenant, eventId, type, source, delivery, ...gone } });
  }

  fails(subscriptionId: string): void {
    this.tell(subscriptionId, { state: 'retrying' });
  }

  succeeds(subscriptionId: string): void {
    this.tell(subscriptionId, { state: 'delivered' });
  }

  /** Somebody else gets something. */
  othersSucceed(): void {
    this.succeeds('sub_other');
  }

  /** History gets to know of all that was said, or of what is in some partitions. */
  async record(...partitions: (0 | 1)[]): Promise<void> {
    for (const partition of partitions.length === 0 ? PARTITIONS : partitions) {
      const [expected, next] = [this.recorded[partition], this.attempts[partition].length];
      if (expected === next) continue;
      const moves = [{ topic: TOPICS.attempts, partition, expected, next }];
      await new HistoryWriter(this.pool, new DayPartitions(), this.rules.gapMs).write(
        { moves, events: [], outcomes: this.attempts[partition].slice(expected) },
        new AbortController().signal,
      );
      this.recorded[partition] = next;
    }
  }

  /** The keeper's turn: it takes a moment of the log, and looks whether history has come so far. */
  async look(): Promise<void> {
    this.clock.advance(this.rules.pollMs);
    await this.keeper.round(this.session);
    await this.keeper.round(this.session);
  }

  /** One round more, some time later. */
  async lookAgain(afterMs: number): Promise<void> {
    this.clock.advance(afterMs);
    await this.keeper.round(this.session);
  }

  /** It fails, and is looked at, every hour of so many. */
  async failFor(subscriptionId: string, hours: number, told: Told = { state: 'retrying' }): Promise<void> {
    for (let hour = 0; hour < hours; hour += 1) {
      this.now += HOUR_MS;
      if (this.isOnline) this.othersSucceed();
      this.tell(subscriptionId, told);
      await this.record();
      await this.look();
    }
  }

  async subscription(id: string): Promise<Record<string, unknown>> {
    const { rows } = await this.pool.query('SELECT * FROM subscriptions WHERE id = $1', [id]);
    return rows[0] as Record<string, unknown>;
  }
}
