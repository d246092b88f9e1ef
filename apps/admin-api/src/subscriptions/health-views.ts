import type { FailingConfig } from '@hookline/config';
import type { Subscription } from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import type { Database } from '../database/database.js';
import type { HeldPositions } from './held-positions.js';
import type { HealthView } from './subscriptions.schemas.js';

/** What the recorder knows of attempts. */
interface KnownHealth {
  id: string;
  failingSince: Date | null;
  failedAt: Date | null;
  lastSuccessAt: Date | null;
  /** A bigint, hence text. */
  warnedMs: string;
  /** When anything succeeded first since it fails, and last before it was last tried, whoever it was sent to. */
  provenSince: Date | null;
  provenAt: Date | null;
}

const HEALTH = `
  SELECT subscription_id AS id, failing_since AS "failingSince", failed_at AS "failedAt",
         last_success_at AS "lastSuccessAt", warned_ms AS "warnedMs",
         (SELECT min(minute) FROM success_minutes WHERE minute >= failing_since) AS "provenSince",
         (SELECT max(minute) FROM success_minutes WHERE minute < failed_at) AS "provenAt"
    FROM subscription_health WHERE subscription_id = ANY($1)`;

/** Of the query's subscriptions `s`. */
export const IS_FAILING = `EXISTS (
  SELECT FROM subscription_health h
   WHERE h.subscription_id = s.id AND h.failing_since > coalesce(s.enabled_at, '-infinity'))`;

/** What is shown of how attempts at subscriptions' endpoints go. */
export class HealthViews {
  constructor(
    private readonly database: Database,
    private readonly positions: Pick<HeldPositions, 'waiting'>,
    private readonly clock: Clock,
    private readonly rules: Pick<FailingConfig, 'disableAfterMs' | 'warningsMs' | 'gapMs' | 'needsProof'>,
  ) {}

  /** For a page of them; how much waits is not counted. */
  async of(rows: readonly Subscription[]): Promise<(row: Subscription) => HealthView> {
    const known = await this.known(rows);
    return (row) => this.view(row, known.get(row.id));
  }

  async one(row: Subscription): Promise<HealthView> {
    const view = this.view(row, (await this.known([row])).get(row.id));
    if (row.status === 'enabled' && view.failingSince === null) return view;
    const waiting = await this.positions.waiting(row.id);
    return { ...view, waiting: waiting === undefined ? null : waiting.held + waiting.pending + waiting.retrying };
  }

  private async known(rows: readonly Subscription[]): Promise<Map<string, KnownHealth>> {
    if (rows.length === 0) return new Map();
    const found = await this.database.query<KnownHealth[]>(HEALTH, [rows.map(({ id }) => id)]);
    return new Map(found.map((each) => [each.id, each]));
  }

  private view(row: Subscription, known: KnownHealth | undefined): HealthView {
    const { disableAfterMs, warningsMs, gapMs, needsProof } = this.rules;
    const since = known?.failingSince?.getTime();
    // What failed before it was enabled counts no longer.
    const failing = since !== undefined && since > (row.enabledAt?.getTime() ?? -Infinity);
    const failedAt = known?.failedAt?.getTime() ?? 0;
    const isDue = failing && row.status === 'enabled' && this.clock.now() - failedAt <= gapMs;
    const awaitsProof = isDue && needsProof && failedAt - (known?.provenAt?.getTime() ?? -Infinity) > gapMs;
    // The time counts from the first proof; where all goes well otherwise there is one in a moment.
    const unprovenMs = needsProof ? (known?.provenSince?.getTime() ?? since ?? 0) - (since ?? 0) : 0;
    const warned = failing ? warningsMs.filter((afterMs) => afterMs <= Number(known?.warnedMs ?? 0)) : [];
    const timeAfter = (ms: number): string => new Date((since ?? 0) + ms).toISOString();
    return {
      failingSince: failing ? timeAfter(0) : null,
      lastSuccessAt: known?.lastSuccessAt?.toISOString() ?? null,
      disablesAt: isDue && !awaitsProof ? timeAfter(unprovenMs + disableAfterMs) : null,
      awaitsProof,
      warnings: warned.map((afterMs) => ({ afterSeconds: afterMs / 1_000, at: timeAfter(afterMs) })),
      waiting: null,
    };
  }
}
