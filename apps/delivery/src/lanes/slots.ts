import { allDurable } from '../handover/all-durable.js';

/**
 * How many deliveries of wide records may be under way in all: a handful of such records would fill the memory
 * otherwise. Records that wait are served in turn, one delivery each.
 */
export class Slots {
  private readonly line: (() => void)[] = [];

  constructor(private free: number) {}

  /** Resolves when each of the works has. @throws what the first of them rejected with, after all have settled */
  async each<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
    const works: Promise<unknown>[] = [];
    for (const item of items) {
      if (this.free > 0) this.free--;
      else await new Promise<void>((resolve) => this.line.push(resolve));
      const begun = work(item).finally(() => this.leave());
      // It is asked about at the end only, and may fail before.
      begun.catch(() => undefined);
      works.push(begun);
    }
    await allDurable(works);
  }

  private leave(): void {
    const next = this.line.shift();
    if (next === undefined) this.free++;
    else next();
  }
}
