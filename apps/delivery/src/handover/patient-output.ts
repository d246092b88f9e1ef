import { NotDurable, type OutgoingRecord, type Output } from '@hookline/kafka';
import type { Clock } from '@hookline/platform';

const PAUSE_MS = 100;

/**
 * Writes what must be written. Where the buffer is full it waits: giving the record up would mean to repeat the
 * attempt that it tells of.
 */
export class PatientOutput {
  constructor(
    private readonly output: Output,
    private readonly clock: Clock,
  ) {}

  /** Resolves when all in-sync replicas have it. @throws NotDurable when writing has come to its end */
  append(record: OutgoingRecord): Promise<unknown> {
    return this.output.produce(record).catch((error: unknown) => this.again(record, error));
  }

  /** Once only: for what must not be written behind its successors. @throws NotDurable, at once where there is no room */
  appendOnce(record: OutgoingRecord): Promise<unknown> {
    return this.output.produce(record);
  }

  private async again(record: OutgoingRecord, error: unknown): Promise<unknown> {
    if (!(error instanceof NotDurable) || (error.reason !== 'overloaded' && error.reason !== 'deadline')) throw error;
    await new Promise<void>((resolve) => this.clock.after(PAUSE_MS, resolve));
    return this.append(record);
  }
}
