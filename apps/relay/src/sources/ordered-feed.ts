import { NotDurable, type Assignment, type OutgoingRecord, type Output } from '@hookline/kafka';
import type { Clock, Logger } from '@hookline/platform';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** The partition is no longer this process': whoever has it now sends the record again. */
export class NotOwner extends Error {
  override name = 'NotOwner';
}

interface Waiting {
  readonly offset: number;
  readonly event: OutgoingRecord;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Sends the events of each partition of a source in its order: the next ones only when all before them are acknowledged,
 * and where one fails, again from that one on (go-back-N). So the first record of an event in `hookline.events` never
 * stands behind that of a later one of the same key, whatever fails; what is sent twice has the same id. As many as wait
 * go together.
 */
export class OrderedFeed {
  private readonly lines = new Map<Assignment, Line>();

  constructor(
    private readonly output: Output,
    private readonly owns: (assignment: Assignment) => boolean,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /**
   * To be called in the order of the partition. Resolves when every in-sync replica has the event.
   * @throws NotOwner when the assignment has died, NotDurable when writing has come to its end; never before that
   */
  send(assignment: Assignment, offset: number, event: OutgoingRecord): Promise<void> {
    return this.lineOf(assignment).send(offset, event);
  }

  /** Why `hookline.events` does not take what it was sent last; undefined where it does. */
  problem(): string | undefined {
    for (const line of this.lines.values()) if (line.failure !== undefined) return line.failure;
    return undefined;
  }

  private lineOf(assignment: Assignment): Line {
    let line = this.lines.get(assignment);
    if (line === undefined) {
      line = new Line(assignment, this.output, this.owns, this.clock, this.logger);
      this.lines.set(assignment, line);
      assignment.signal.addEventListener('abort', () => this.lines.delete(assignment), { once: true });
    }
    return line;
  }
}

class Line {
  failure: string | undefined;
  private waiting: Waiting[] = [];
  private running = false;

  constructor(
    private readonly assignment: Assignment,
    private readonly output: Output,
    private readonly owns: (assignment: Assignment) => boolean,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  send(offset: number, event: OutgoingRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ offset, event, resolve, reject });
      if (!this.running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    let pauseMs = FIRST_PAUSE_MS;
    // What is handed over in this turn goes together.
    await undefined;
    while (this.waiting.length > 0) {
      const durable = await this.sendAll();
      if (durable > 0) pauseMs = FIRST_PAUSE_MS;
      if (this.failure === undefined && durable > 0) continue;
      if (this.waiting.length === 0) break;
      const waitMs = pauseMs;
      await new Promise<void>((resolve) => this.clock.after(waitMs, resolve));
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
    this.running = false;
  }

  /** @returns how many of those that waited are acknowledged, without a gap */
  private async sendAll(): Promise<number> {
    if (this.assignment.signal.aborted) this.giveUp(new NotOwner('the partition was taken away'));
    if (!this.owns(this.assignment)) return 0;
    const batch = this.waiting;
    this.waiting = [];
    const results = await this.write(batch);
    let durable = 0;
    while (results[durable]?.status === 'fulfilled') batch[durable++]?.resolve();
    this.failure = undefined;
    if (durable === batch.length) return durable;
    this.waiting = [...batch.slice(durable), ...this.waiting];
    this.failed((results[durable] as PromiseRejectedResult).reason);
    return durable;
  }

  /** What follows one that was refused at once is not written. */
  private async write(batch: readonly Waiting[]): Promise<PromiseSettledResult<unknown>[]> {
    const written: Promise<unknown>[] = [];
    let refused = false;
    for (const { event } of batch) {
      const writing = this.output.produce(event);
      writing.catch(() => (refused = true));
      written.push(writing);
      // A turn in which a refusal shows.
      await undefined;
      if (refused) break;
    }
    return Promise.allSettled(written);
  }

  private failed(error: unknown): void {
    if (error instanceof NotDurable && error.reason === 'stopped') return this.giveUp(error);
    const { topic, partition } = this.assignment;
    const { offset } = this.waiting[0] as Waiting;
    this.failure = `${topic}:${partition}:${offset} is not taken: ${(error as Error).message}`;
    this.logger.warn({ topic, partition, offset, err: error }, 'an event was not taken; those after it wait');
  }

  private giveUp(error: Error): void {
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}
