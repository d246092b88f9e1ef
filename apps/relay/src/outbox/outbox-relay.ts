import { ROWS_CHANNEL } from '@hookline/outbox';
import { unlessAborted, WakeUp, type Session } from '@hookline/persistence';
import type { Clock, Logger } from '@hookline/platform';
import type { BatchSender, Sent } from './batch-sender.js';
import { oldestRows, settleRows, type BatchLimits, type Refusal } from './outbox-rows.js';
import type { RelayObserver } from './relay-observer.js';
import type { RowReader } from './row-reader.js';
import { ShardLocks } from './shard-locks.js';

/** After something failed, ms. */
const RETRY_MS = 1_000;
/** Refused rows that one line of the log names at most. */
const MOST_NAMED = 20;

export interface OutboxRelayParts {
  openSession: () => Promise<Session>;
  reader: RowReader;
  sender: BatchSender;
  clock: Clock;
  logger: Logger;
  observer: RelayObserver;
}

export interface OutboxRelaySettings {
  batch: BatchLimits;
  pollMs: number;
  /** How long a batch waits for Kafka before the others get a chance. */
  patienceMs: number;
}

/**
 * Brings rows from a producer's outbox into the log. Rows are deleted when Kafka has acknowledged them, over the session
 * that holds their shards: a relay that dies, or loses its session, before that leaves them to the next one, which sends
 * them again with the same ids. Within a key the first of each id is in the order of the rows whatever relays
 * die, for each of them sends what it sends in that order.
 */
export class OutboxRelay {
  private readonly stopping = new AbortController();
  /** Aborted when what is out is not waited for any longer. */
  private readonly abandoned = new AbortController();
  private readonly wake = new WakeUp();
  /** What is out, be it of a former session: rows are read again only when Kafka has, or has not, what went before. */
  private out: Promise<unknown> = Promise.resolve();
  private running: Promise<void> | undefined;
  /** What keeps it from relaying; undefined: nothing. */
  private trouble: string | undefined = 'has not begun yet';

  constructor(
    private readonly parts: OutboxRelayParts,
    private readonly settings: OutboxRelaySettings,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Takes no further rows, and waits up to `drainMs` for Kafka to acknowledge what is out. */
  async stop(drainMs: number): Promise<void> {
    this.stopping.abort(new Error('stopped'));
    const cancel = this.parts.clock.after(drainMs, () => this.abandoned.abort(new Error('stopped')));
    await this.running;
    cancel();
  }

  /** For readiness: undefined when all is well, be it that others have all the shards. */
  readonly check = (): string | undefined => this.trouble && `the outbox is not relayed: ${this.trouble}`;

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.session();
      } catch (error) {
        if (signal.aborted) return;
        this.interrupted(error);
        await this.wake.wait(RETRY_MS, signal);
      }
    }
  }

  private async session(): Promise<void> {
    const { signal } = this.stopping;
    await unlessAborted(this.out, signal);
    const session = await unlessAborted(this.open(), signal);
    try {
      await this.serve(session);
    } finally {
      this.parts.observer.owns(0);
      await session.close();
    }
  }

  /** A session that comes when nobody waits for it any more is closed. */
  private async open(): Promise<Session> {
    const session = await this.parts.openSession();
    if (this.stopping.signal.aborted) await session.close();
    return session;
  }

  private async serve(session: Session): Promise<void> {
    const { pollMs } = this.settings;
    const { observer, logger, clock } = this.parts;
    const { signal } = this.stopping;
    const shards = await ShardLocks.join(session);
    await session.listen(ROWS_CHANNEL, this.wake.call);
    this.trouble = undefined;
    logger.info({}, 'relaying the outbox');
    let sharedAt = -Infinity;
    while (!signal.aborted) {
      session.lost.throwIfAborted();
      if (clock.now() - sharedAt >= pollMs) {
        await shards.share();
        observer.owns(shards.owned.length);
        sharedAt = clock.now();
      }
      if ((await this.batch(session, shards.owned)) === 0)
        await this.wake.wait(pollMs, AbortSignal.any([signal, session.lost]));
    }
  }

  /** @returns how many rows it has dealt with */
  private async batch(session: Session, shards: readonly number[]): Promise<number> {
    const rows = await oldestRows(session, shards, this.settings.batch);
    if (rows.length === 0) return 0;
    const { good, refusals } = this.parts.reader.read(rows);
    const sent = await this.send(
      good.map(({ record }) => record),
      session.lost,
    );
    const relayed = good.filter((_, index) => sent[index]?.refused === undefined).map(({ row }) => row);
    for (const [index, { refused }] of sent.entries()) {
      const row = good[index]?.row;
      if (row && refused !== undefined)
        refusals.push({ seq: row.seq, id: row.id, reason: `Kafka refuses it: ${refused}` });
    }
    await settleRows(session, relayed, refusals);
    this.tell(relayed.length, refusals);
    return rows.length;
  }

  private async send(records: Parameters<BatchSender['send']>[0], lost: AbortSignal): Promise<Sent[]> {
    const { clock, sender } = this.parts;
    const { patienceMs } = this.settings;
    const sending = sender.send(records);
    this.out = sending.catch(() => undefined);
    const impatient = new AbortController();
    const cancel = clock.after(patienceMs, () =>
      impatient.abort(new Error(`Kafka has not acknowledged ${records.length} events for ${patienceMs / 1_000} s`)),
    );
    try {
      return await unlessAborted(sending, AbortSignal.any([lost, impatient.signal, this.abandoned.signal]));
    } finally {
      cancel();
    }
  }

  private tell(relayed: number, refusals: readonly Refusal[]): void {
    const { observer, logger } = this.parts;
    observer.relayed(relayed);
    observer.refused(refusals.length);
    if (refusals.length > 0)
      logger.warn(
        { refused: refusals.length, rows: refusals.slice(0, MOST_NAMED) },
        'rows of the outbox were set aside in hookline_outbox_refused',
      );
  }

  private interrupted(error: unknown): void {
    const { observer, logger } = this.parts;
    const trouble = (error instanceof Error ? error.message : String(error)) || 'no connection';
    // Once a second for as long as a database is away would say nothing new.
    if (trouble !== this.trouble) logger.warn({ err: error }, 'relaying the outbox was interrupted; it is tried again');
    this.trouble = trouble;
    observer.interrupted();
  }
}
