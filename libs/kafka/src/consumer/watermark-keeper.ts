import type { OwnedPartition } from './owned-partition.js';
import type { ProgressWitness, RunnerLogger } from './runner-options.js';

/** Tells the witness where the partitions stand that have moved since it was last told. */
export class WatermarkKeeper {
  private readonly told = new WeakMap<OwnedPartition, number>();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly witness: ProgressWitness | undefined,
    /** Whether the partitions are surely still this member's: another's word must not be overwritten with an older one. */
    private readonly isMember: () => boolean,
    private readonly logger: RunnerLogger,
  ) {}

  /** One after the other; never rejects: what was not written is written the next time. */
  keep(partitions: Iterable<OwnedPartition>): Promise<void> {
    this.running = this.running.then(() => this.tell([...partitions]));
    return this.running;
  }

  private async tell(partitions: readonly OwnedPartition[]): Promise<void> {
    const { witness } = this;
    if (witness === undefined || !this.isMember()) return;
    const results = await Promise.allSettled(
      partitions.map(async (owned) => {
        const watermark = owned.tracker?.watermark;
        if (watermark === undefined || !owned.alive || this.told.get(owned) === watermark) return;
        await witness.write(owned.topic, owned.partition, watermark);
        this.told.set(owned, watermark);
      }),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed)
      this.logger.warn({ err: failed.reason as unknown }, 'watermarks could not be written; the next time will do');
  }
}
