import { NotDurable, type Assignment } from '@hookline/kafka';
import type { Clock, Logger } from '@hookline/platform';
import { NotOwner, type Delivery } from '../delivery.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export interface HandoverPorts {
  /**
   * Writes to the lane, once: it fails at once where there is no room for it, and is not tried again behind its successors.
   * @param mayLeave asked when it leaves
   */
  write(delivery: Delivery, mayLeave: () => boolean): Promise<unknown>;
  /** Says that the delivery is pending. */
  tell(delivery: Delivery): Promise<unknown>;
  owns(assignment: Assignment): boolean;
}

interface Waiting {
  readonly delivery: Delivery;
  readonly resolve: (told: Promise<unknown>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Hands the deliveries of ordered subscriptions over to their lanes in the order of the log, for each assignment of the
 * events: the next ones only when all before them are durable, and where one fails, again from that one on (go-back-N). So
 * the first record of an event in its lane never stands behind that of a later one, whatever fails. As many as wait go
 * together.
 */
export class OrderedHandover {
  private readonly lines = new WeakMap<Assignment, Line>();

  constructor(
    private readonly ports: HandoverPorts,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /**
   * To be called in the order of the log. Resolves when it is durable.
   * @throws NotOwner when the assignment has died, NotDurable when writing has come to its end; never before that
   */
  hand(delivery: Delivery): Promise<unknown> {
    const { assignment } = delivery;
    let line = this.lines.get(assignment);
    if (line === undefined)
      this.lines.set(assignment, (line = new Line(assignment, this.ports, this.clock, this.logger)));
    return line.hand(delivery);
  }
}

class Line {
  private waiting: Waiting[] = [];
  private running = false;

  constructor(
    private readonly assignment: Assignment,
    private readonly ports: HandoverPorts,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  hand(delivery: Delivery): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ delivery, resolve, reject });
      if (!this.running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      await this.sendWhileAnyWaits();
    } finally {
      this.running = false;
    }
  }

  private async sendWhileAnyWaits(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (this.waiting.length > 0) {
      const progress = await this.sendAll();
      if (progress !== 'none') pauseMs = FIRST_PAUSE_MS;
      if (progress === 'all' || this.waiting.length === 0) continue;
      const waitMs = pauseMs;
      await new Promise<void>((resolve) => this.clock.after(waitMs, resolve));
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
  }

  /** @returns how much of what waited is durable */
  private async sendAll(): Promise<'all' | 'some' | 'none'> {
    if (this.assignment.signal.aborted) this.giveUp(new NotOwner());
    if (!this.ports.owns(this.assignment)) return 'none';
    const batch = this.waiting;
    this.waiting = [];
    const results = await this.write(batch);
    let durable = 0;
    while (results[durable]?.status === 'fulfilled') durable++;
    for (const { delivery, resolve } of batch.slice(0, durable)) resolve(begun(() => this.ports.tell(delivery)));
    if (durable === batch.length) return 'all';
    this.waiting = [...batch.slice(durable), ...this.waiting];
    this.failed((results[durable] as PromiseRejectedResult).reason);
    return durable > 0 ? 'some' : 'none';
  }

  /** What follows one that was refused is not written, and doesn't leave where it waits for that. */
  private async write(batch: readonly Waiting[]): Promise<PromiseSettledResult<unknown>[]> {
    const written: Promise<unknown>[] = [];
    let refused = false;
    const mayLeave = (): boolean => !refused && this.ports.owns(this.assignment);
    for (const { delivery } of batch) {
      const writing = begun(() => this.ports.write(delivery, mayLeave));
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
    const { partition } = this.assignment;
    const { offset } = (this.waiting[0] as Waiting).delivery.envelope.source;
    this.logger.warn(
      { partition, offset, err: error },
      'an ordered delivery could not be handed over; those after it wait',
    );
  }

  private giveUp(error: Error): void {
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}

/** What throws at once rejects: a line that has stopped would keep all that comes after it waiting for ever. */
function begun(begin: () => Promise<unknown>): Promise<unknown> {
  try {
    return begin();
  } catch (error) {
    return Promise.reject(error as Error);
  }
}
