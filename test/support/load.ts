import { setTimeout as pause } from 'node:timers/promises';
import { waitUntil, type HooklineApi, type NewEvent, type PublishedEvent } from '@hookline/testing';

/** Publishers in a closed loop. What is refused is published again with the same id, as a publisher should. */
export class Load {
  /** By the event's id. */
  readonly acknowledged = new Map<string, PublishedEvent>();
  /** How often a publish was refused or its connection broke. */
  refusals = 0;
  /** What the slowest took that was acknowledged at its first try, ms: how slow the machine is. */
  slowestMs = 0;
  /** Publishes that wait for their answer. */
  outstanding = 0;
  private next = 0;
  private stopping = false;
  private readonly publishers: Promise<void>[];

  constructor(
    private readonly api: HooklineApi,
    concurrency: number,
    private readonly event: (sequence: number) => NewEvent & { id: string },
  ) {
    this.publishers = Array.from({ length: concurrency }, () => this.publish());
  }

  /** Waits until this many more events are acknowledged than there are now. */
  async more(count: number, deadlineMs = 90_000): Promise<void> {
    const goal = this.acknowledged.size + count;
    await waitUntil(() => this.acknowledged.size >= goal, {
      deadlineMs,
      what: `${count} more acknowledged events`,
      seen: () => this.seen(),
    });
  }

  /** For a wait that was in vain. */
  private seen(): object {
    const { acknowledged, refusals, outstanding } = this;
    return { acknowledged: acknowledged.size, refusals, outstanding };
  }

  /** Begins nothing new, and waits until all that was begun is acknowledged. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.publishers);
  }

  private async publish(): Promise<void> {
    while (!this.stopping) {
      const event = this.event(this.next++);
      const begun = performance.now();
      let published = await this.once(event);
      if (published) this.slowestMs = Math.max(this.slowestMs, performance.now() - begun);
      while (!published) published = await this.once(event);
      this.acknowledged.set(event.id, published);
    }
  }

  private async once(event: NewEvent): Promise<PublishedEvent | undefined> {
    this.outstanding++;
    try {
      return await this.api.publish(event);
    } catch (error) {
      const status = (error as { status?: number }).status;
      if (status !== undefined && status !== 503) throw error;
      this.refusals++;
      await pause(50);
      return undefined;
    } finally {
      this.outstanding--;
    }
  }
}
