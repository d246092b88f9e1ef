/** One attempt, as the worker that made it told of it. */
export interface RecordedAttempt {
  id: string;
  number: number;
  startedAt: Date;
  durationMs: number;
  status: number | null;
  error: string | null;
  replayId: string | null;
}

export const ATTEMPT_COLUMNS = 'attempt_id, number, started_at, duration_ms, status, error, replay_id';

export interface AttemptRow {
  attempt_id: string;
  number: number;
  started_at: Date;
  duration_ms: number;
  status: number | null;
  error: string | null;
  replay_id: string | null;
}

export function toAttempt(row: AttemptRow): RecordedAttempt {
  return {
    id: row.attempt_id,
    number: row.number,
    startedAt: row.started_at,
    durationMs: row.duration_ms,
    status: row.status,
    error: row.error,
    replayId: row.replay_id,
  };
}
