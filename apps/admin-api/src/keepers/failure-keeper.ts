import type { FailingConfig } from '@hookline/config';
import { disableFailing, type Session } from '@hookline/persistence';
import type { Clock, Logger } from '@hookline/platform';
import { endsOfAttempts, isRecordedUpTo } from '../replays/recorded.js';
import type { LogBounds } from '../replays/resolve-ranges.js';
import { FAILING_VERSIONS, STAGES, UNPROVEN, WARN } from './failing-rule.js';
import { inTransaction, type Keeper } from './keepers.js';

/** Subscriptions that one round disables. */
const BATCH = 500;

export interface FailureKeeperParts {
  log: Pick<LogBounds, 'bounds'>;
  /** The log's time, ms since the epoch; asked of the log at each call. */
  logTime: () => Promise<number>;
  /** Of this machine: only for how long something takes. */
  clock: Clock;
  logger: Logger;
}

/** A moment of the log: what history has to know before it can be told who was failing then. */
interface Moment {
  at: number;
  /** Where `hookline.attempts` ended, by partition. */
  ends: Readonly<Record<string, number>>;
  askedAt: number;
}

/**
 * Warns of subscriptions that have had no success for too long, and in the end disables them, by the log's time.
 *
 * It takes a moment of the log, waits until the recorder has all that was written until then, and judges by what is known
 * of that moment. So nobody is judged by what history has not heard yet: where the recorder is behind, or PostgreSQL was
 * away, the moment is dropped and another one is taken.
 */
export class FailureKeeper implements Keeper {
  readonly name = 'failure-keeper';
  private moment: Moment | undefined;
  private lookedAt = -Infinity;
  private stages: readonly (readonly [string, number])[] = [];
  private unproven = 0;

  constructor(
    private readonly parts: FailureKeeperParts,
    private readonly rules: FailingConfig,
  ) {}

  /** How many are failing, by the time of failure that was last warned of, as of the last look. */
  counts(): Iterable<readonly [string, number]> {
    return this.stages;
  }

  /** How many are left enabled for want of proof that anything gets out of here, as of the last look. */
  unprovenCount(): number {
    return this.unproven;
  }

  async round(session: Session): Promise<void> {
    const { moment } = this;
    if (moment === undefined) return this.take(session);
    if (await isRecordedUpTo(session, moment.ends)) {
      this.moment = undefined;
      await this.judge(session, moment.at);
    } else if (this.passedSince(moment.askedAt) > this.rules.recorderLagMs) this.moment = undefined;
  }

  private async take(session: Session): Promise<void> {
    const { clock, log, logTime } = this.parts;
    if (this.passedSince(this.lookedAt) < this.rules.pollMs) return;
    this.lookedAt = clock.now();
    if (!(await this.count(session))) {
      this.unproven = 0;
      return;
    }
    // In this order: what was appended before that time stands before these ends.
    const at = await logTime();
    const ends = await endsOfAttempts(log);
    this.moment = { at, ends, askedAt: clock.now() };
  }

  private async judge(session: Session, at: number): Promise<void> {
    const { warningsMs, disableAfterMs, gapMs } = this.rules;
    const { logger } = this.parts;
    const now = new Date(at);
    const warned = await session.query<{ id: string; failingSince: Date; afterMs: string }>(WARN, [
      now,
      gapMs,
      warningsMs,
    ]);
    for (const { id, failingSince, afterMs } of warned)
      logger.warn(
        { subscriptionId: id, failingSince, afterMs: Number(afterMs), disablesAfterMs: disableAfterMs },
        'nothing has succeeded to a subscription for long',
      );
    await this.disable(session, at);
    await this.countUnproven(session, at);
    await this.count(session);
  }

  private async disable(session: Session, at: number): Promise<void> {
    const { disableAfterMs, gapMs, needsProof } = this.rules;
    const failing = await session.query<{ id: string; version: number; failingSince: Date }>(FAILING_VERSIONS, [
      new Date(at),
      gapMs,
      disableAfterMs,
      BATCH,
      needsProof,
    ]);
    if (failing.length === 0) return;
    const versions = failing.map(({ id, version }) => ({ subscriptionId: id, version, at }));
    const disabled = new Set(await inTransaction(session, () => disableFailing(session, versions)));
    for (const { id, failingSince } of failing)
      if (disabled.has(id))
        this.parts.logger.warn(
          { subscriptionId: id, failingSince },
          'a subscription was disabled: nothing has succeeded to it',
        );
  }

  private async countUnproven(session: Session, at: number): Promise<void> {
    const { disableAfterMs, gapMs, needsProof } = this.rules;
    if (!needsProof) return;
    const before = this.unproven;
    const [row] = await session.query<{ count: string }>(UNPROVEN, [new Date(at), gapMs, disableAfterMs]);
    this.unproven = Number(row?.count ?? 0);
    if (this.unproven > 0 && before === 0)
      this.parts.logger.error(
        { subscriptions: this.unproven },
        'nothing succeeds to anybody, which may be our own way out: subscriptions are left enabled that would be disabled by now',
      );
  }

  /** @returns whether there are any */
  private async count(session: Session): Promise<boolean> {
    const rows = await session.query<{ warnedMs: string; count: string }>(STAGES);
    this.stages = rows.map(({ warnedMs, count }) => [stageOf(Number(warnedMs)), Number(count)] as const);
    return rows.length > 0;
  }

  /** The machine's clock may be set meanwhile, either way: a moment is taken anew then, and that is all. */
  private passedSince(time: number): number {
    return Math.abs(this.parts.clock.now() - time);
  }
}

/** A time in seconds, as metrics have it; `0`: nothing was warned of yet. */
function stageOf(warnedMs: number): string {
  return String(warnedMs / 1_000);
}
