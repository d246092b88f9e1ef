import type { ReplayRange, ReplayStatus } from '@hookline/persistence';
import type { Session } from '../database/session.js';

/** A replay as its runner holds it. */
export interface ReplayJob {
  id: string;
  tenantId: string | null;
  subscriptionIds: string[] | undefined;
  partitions: Record<string, ReplayRange>;
  scanned: number;
  matched: number;
  sent: number;
}

/** It was cancelled, or another process goes on with it. */
export class ReplayTakenAway extends Error {
  override name = 'ReplayTakenAway';
}

/** "hrpl" as a number: the first part of the advisory lock that a running replay holds. */
const LOCK_KIND = 0x6872706c;

interface ReplayRow {
  id: string;
  tenant_id: string | null;
  spec: { subscriptionIds: string[] | null };
  partitions: Record<string, ReplayRange>;
  scanned: string;
  matched: string;
  sent: string;
}

/** Replays on the session that holds their locks: when it is lost, nothing can be saved any more. */
export class ReplayStore {
  constructor(private readonly session: Session) {}

  get lost(): AbortSignal {
    return this.session.lost;
  }

  /** The oldest unfinished ones, whoever runs them. */
  async open(limit: number): Promise<string[]> {
    const rows = await this.session.query<{ id: string }>(
      `SELECT id FROM replays WHERE status IN ('pending', 'running') ORDER BY created_at, id LIMIT $1`,
      [limit],
    );
    return rows.map((row) => row.id);
  }

  /** @returns undefined where another process has it, or where it is finished by now */
  async claim(id: string): Promise<ReplayJob | undefined> {
    if (!(await this.session.tryLock(LOCK_KIND, id))) return undefined;
    const [row] = await this.session.query<ReplayRow & Record<string, unknown>>(
      `UPDATE replays SET status = 'running', updated_at = now() WHERE id = $1 AND status IN ('pending', 'running')
       RETURNING id, tenant_id, spec, partitions, scanned, matched, sent`,
      [id],
    );
    if (row === undefined) {
      await this.release(id);
      return undefined;
    }
    return {
      id,
      tenantId: row.tenant_id,
      subscriptionIds: row.spec.subscriptionIds ?? undefined,
      partitions: row.partitions,
      scanned: Number(row.scanned),
      matched: Number(row.matched),
      sent: Number(row.sent),
    };
  }

  async release(id: string): Promise<void> {
    await this.session.unlock(LOCK_KIND, id);
  }

  /** @throws ReplayTakenAway */
  async save(job: ReplayJob): Promise<void> {
    await this.update(job, 'running', null);
  }

  /** @param note what a person should know of it, e.g. why it failed */
  async finish(job: ReplayJob, status: 'completed' | 'failed', note: string | null): Promise<void> {
    await this.update(job, status, note);
  }

  private async update(job: ReplayJob, status: ReplayStatus, note: string | null): Promise<void> {
    const rows = await this.session.query(
      `UPDATE replays SET status = $2, error = $3, partitions = $4, scanned = $5, matched = $6, sent = $7,
              updated_at = now(), finished_at = CASE WHEN $2 = 'running' THEN NULL ELSE now() END
        WHERE id = $1 AND status = 'running' RETURNING id`,
      [job.id, status, note, JSON.stringify(job.partitions), job.scanned, job.matched, job.sent],
    );
    if (rows.length === 0) throw new ReplayTakenAway(`replay ${job.id} was cancelled`);
  }
}
