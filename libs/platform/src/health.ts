/** Answers undefined when all is well, else a sentence that says what is not. It must answer at once. */
export type HealthCheck = () => string | undefined;

export interface HealthReport {
  ok: boolean;
  /** `ok`, or what is wrong, by the name of the check. */
  checks: Record<string, string>;
}

/**
 * What a role is asked about: *live* means that a restart would not help, *ready* that it can do its work now.
 * Checks look at what is already known and wait for nothing, so that a probe is answered even when Kafka hangs.
 */
export class HealthRegistry {
  private readonly live = new Map<string, HealthCheck>();
  private readonly ready = new Map<string, HealthCheck>();

  /** Red: the process should be restarted. */
  addLiveness(name: string, check: HealthCheck): void {
    this.live.set(name, check);
  }

  /** Red: the process should get no work at the moment. What isn't live isn't ready either. */
  addReadiness(name: string, check: HealthCheck): void {
    this.ready.set(name, check);
  }

  liveness(): HealthReport {
    return report([this.live]);
  }

  readiness(): HealthReport {
    return report([this.live, this.ready]);
  }
}

function report(groups: readonly Map<string, HealthCheck>[]): HealthReport {
  const checks: Record<string, string> = {};
  let ok = true;
  for (const [name, check] of groups.flatMap((group) => [...group])) {
    const wrong = check();
    checks[name] = wrong ?? 'ok';
    if (wrong !== undefined) ok = false;
  }
  return { ok, checks };
}
