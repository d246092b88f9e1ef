import { NotDurable, type OutgoingRecord, type Output } from '@hookline/kafka';
import type { Clock } from '@hookline/platform';

const PAUSE_MS = 100;

/**
 * Writes what must be written. Where the buffer is full it waits: giving the record up would mean to repeat the
 * attempt that it tells of. So it does with a record that may not leave now, but may again: for as long as the partition that
 * it came from is not given to another.
 */
export class PatientOutput {
  constructor(
    private readonly output: Output,
    private readonly clock: Clock,
  ) {}

  /**
   * Resolves when all in-sync replicas have it.
   * @param owned ends when the partition that it came from is lost; absent for what may leave in any case
   * @throws NotDurable when writing has come to its end, or it may not leave any more
   */
  append(record: OutgoingRecord, owned?: AbortSignal): Promise<unknown> {
    return this.output.produce(record).catch((error: unknown) => this.again(record, owned, error));
  }

  /** Once only: for what must not be written behind its successors. @throws NotDurable, at once where there is no room */
  appendOnce(record: OutgoingRecord): Promise<unknown> {
    return this.output.produce(record);
  }

  private async again(record: OutgoingRecord, owned: AbortSignal | undefined, error: unknown): Promise<unknown> {
    if (!(error instanceof NotDurable) || !isPassing(error.reason, owned)) throw error;
    await new Promise<void>((resolve) => this.clock.after(PAUSE_MS, resolve));
    return this.append(record, owned);
  }
}

function isPassing(reason: NotDurable['reason'], owned: AbortSignal | undefined): boolean {
  if (reason === 'fenced') return owned?.aborted === false;
  return reason === 'overloaded' || reason === 'deadline';
}
