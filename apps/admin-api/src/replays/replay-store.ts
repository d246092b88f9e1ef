import type { ReplayKind, ReplayRange, ReplayStatus, Session } from '@hookline/persistence';
import type { OutcomeFilter, ReplayJob, ReplayResult, ReplayTo } from './replay-job.js';

/** It was paused or cancelled, or another process goes on with it. */
export class ReplayTakenAway extends Error {
  override name = 'ReplayTakenAway';
}

/** "hrpl" as a number: the first part of the advisory lock that a running replay holds. */
const LOCK_KIND = 0x6872706c;

/** A catch-up begins when every worker knows of it: what they did before is written down then, or on its way. */
const MAY_RUN = `status IN ('pending', 'running') AND (resume_at IS NULL OR resume_at <= now())
  AND (kind = 'replay' OR told_at <= now())`;

interface ReplayRow {
  id: string;
  kind: ReplayKind;
  tenant_id: string | null;
  subscription_id: string | null;
  version: number | null;
  to_offsets: Record<string, number> | null;
  told_at: Date | null;
  not_before: Record<string, number> | null;
  spec: ReplaySpec;
  partitions: Record<string, ReplayRange>;
  scanned: string;
  matched: string;
  sent: string;
  result: ReplayResult | null;
}

/** What was asked for, as far as a runner goes by it; rows of before have less. */
interface ReplaySpec {
  from?: { timestamp?: number | string } | null;
  subscriptionIds?: string[] | null;
  subscriptions?: ReplayTo;
  types?: string[] | null;
  outcome?: OutcomeFilter;
  rate?: number | null;
  dryRun?: boolean;
  missedSince?: number;
}

/** Replays on the session that holds their locks: when it is lost, nothing can be saved any more. */
export class ReplayStore {
  constructor(private readonly session: Session) {}

  get lost(): AbortSignal {
    return this.session.lost;
  }

  /** The unfinished ones that need not wait, whoever runs them; those that waited longest come first. */
  async open(limit: number): Promise<string[]> {
    const rows = await this.session.query<{ id: string }>(
      `SELECT id FROM replays
        WHERE finished_at IS NULL AND ${MAY_RUN}
        ORDER BY coalesce(resume_at, created_at), id LIMIT $1`,
      [limit],
    );
    return rows.map((row) => row.id);
  }

  /** @returns undefined where another process has it, or where it is finished or waits by now */
  async claim(id: string): Promise<ReplayJob | undefined> {
    if (!(await this.session.tryLock(LOCK_KIND, id))) return undefined;
    const [row] = await this.session.query<ReplayRow & Record<string, unknown>>(
      `UPDATE replays SET status = 'running', updated_at = now(), started_at = coalesce(started_at, now())
        WHERE id = $1 AND ${MAY_RUN}
       RETURNING id, kind, tenant_id, subscription_id, version, to_offsets, told_at, not_before, spec, partitions,
         scanned, matched, sent, result`,
      [id],
    );
    if (row !== undefined) return toJob(row);
    await this.release(id);
    return undefined;
  }

  async release(id: string): Promise<void> {
    await this.session.unlock(LOCK_KIND, id);
  }

  /** @throws ReplayTakenAway */
  async save(job: ReplayJob): Promise<void> {
    await this.update(job, 'running', null);
  }

  /**
   * Saves it, and leaves it alone for a while.
   * @throws ReplayTakenAway
   */
  async putOff(job: ReplayJob, ms: number): Promise<void> {
    await this.update(job, 'running', null, ms);
  }

  /** @param note what a person should know of it, e.g. why it failed */
  async finish(job: ReplayJob, status: 'completed' | 'failed' | 'cancelled', note: string | null): Promise<void> {
    await this.update(job, status, note);
  }

  /** What was handed over counts also where somebody has paused or cancelled it meanwhile. */
  private async update(job: ReplayJob, status: ReplayStatus, note: string | null, waitMs?: number): Promise<void> {
    const [row] = await this.session.query<{ status: ReplayStatus }>(
      `UPDATE replays
          SET partitions = $4, scanned = $5, matched = $6, sent = $7, not_before = $8, result = $9, updated_at = now(),
              resume_at = now() + $10::double precision * interval '1 ms',
              status = CASE WHEN status = 'running' THEN $2 ELSE status END,
              error = CASE WHEN status = 'running' THEN $3 ELSE error END,
              finished_at = CASE WHEN status = 'running' AND $2 <> 'running' THEN now() ELSE finished_at END
        WHERE id = $1 RETURNING status`,
      [
        job.id,
        status,
        note,
        JSON.stringify(job.partitions),
        job.scanned,
        job.matched,
        job.sent,
        job.notBefore === null ? null : JSON.stringify(job.notBefore),
        JSON.stringify(job.result),
        waitMs ?? null,
      ],
    );
    if (row?.status !== status) throw new ReplayTakenAway(`replay ${job.id} is ${row?.status ?? 'gone'}`);
  }
}

function toJob(row: ReplayRow): ReplayJob {
  const { spec } = row;
  const since = row.kind === 'replay' ? undefined : spec.from?.timestamp;
  return {
    id: row.id,
    kind: row.kind,
    tenantId: row.tenant_id,
    subscriptionIds: spec.subscriptionIds ?? undefined,
    types: spec.types ?? undefined,
    to: spec.subscriptions ?? 'matching',
    outcome: spec.outcome ?? 'all',
    rate: spec.rate ?? undefined,
    dryRun: spec.dryRun ?? false,
    since: typeof since === 'string' ? Date.parse(since) : since,
    missedSince: spec.missedSince,
    subscriptionId: row.subscription_id,
    version: row.version,
    toOffsets: row.to_offsets,
    toldAt: row.told_at?.getTime(),
    notBefore: row.not_before,
    partitions: row.partitions,
    scanned: Number(row.scanned),
    matched: Number(row.matched),
    sent: Number(row.sent),
    result: row.result ?? {},
  };
}
