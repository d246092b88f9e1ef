import { unlessAborted } from '@hookline/persistence';

/** What a record weighs besides its value: headers, bookkeeping. */
const OVERHEAD_BYTES = 1_024;

/** Work that is under way, bounded by the bytes that it holds. */
export class InFlight {
  private readonly tasks = new Set<Promise<void>>();
  private bytes = 0;
  private failure: unknown;
  private failed = false;

  constructor(
    private readonly maxBytes: number,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Starts the work once there is room for it.
   * @throws the first failure of what was started before, or the signal's reason
   */
  async add(bytes: number, work: () => Promise<void>): Promise<void> {
    const weight = bytes + OVERHEAD_BYTES;
    while (this.bytes > 0 && this.bytes + weight > this.maxBytes)
      await unlessAborted(Promise.race(this.tasks), this.signal);
    if (this.failed) throw this.failure;
    this.bytes += weight;
    const task = work()
      .catch((error: unknown) => {
        this.failure ??= error;
        this.failed = true;
      })
      .finally(() => {
        this.bytes -= weight;
        this.tasks.delete(task);
      });
    this.tasks.add(task);
  }

  /** Waits for all of it. @throws the first failure */
  async settled(): Promise<void> {
    await unlessAborted(Promise.all(this.tasks), this.signal);
    if (this.failed) throw this.failure;
  }
}
