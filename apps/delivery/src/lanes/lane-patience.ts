export interface LanePatienceRules {
  readonly directWaitMs: number;
  /** The delay before each retry, ms. */
  readonly retryDelaysMs: readonly number[];
}

/**
 * How long the work of a lane waits for room, ms: to wait is cheaper than to be written once more, for as long as that
 * would take anyway.
 */
export function lanePatienceMs({ directWaitMs, retryDelaysMs }: LanePatienceRules): number {
  return Math.max(directWaitMs, Math.min(...retryDelaysMs));
}
