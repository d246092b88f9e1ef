import { retryDelayOf } from '@hookline/contracts';
import { CompletionTracker } from '@hookline/domain';
import type { Assignment, LogRecord, OutgoingRecord } from '@hookline/kafka';
import type { TestClock } from '@hookline/testing';

/** One partition of a topic, stamped by the test's clock, and read as a runner does: no more than so many at a time. */
export class EngineLog {
  private readonly records: LogRecord[] = [];
  private read = 0;
  private held = 0;
  /** Records that were done with before they were due. */
  early = 0;
  readonly assignment: Assignment;

  constructor(
    private readonly topic: string,
    private readonly heldMost: number,
    private readonly clock: TestClock,
    private readonly handler: (records: readonly LogRecord[]) => readonly Promise<unknown>[],
  ) {
    const tracker = new CompletionTracker(0);
    const partsOf: Assignment['partsOf'] = (offset, parts) => tracker.parts(offset, parts);
    this.assignment = { topic, partition: 0, signal: new AbortController().signal, partsOf, setAside: () => undefined };
  }

  append({ value, headers = {} }: Pick<OutgoingRecord, 'value' | 'headers'>): number {
    const { topic, assignment } = this;
    const offset = this.records.length;
    const timestamp = this.clock.now();
    this.records.push({ assignment, topic, partition: 0, offset, timestamp, key: null, value, headers, done: false });
    setImmediate(() => this.pump());
    return offset;
  }

  /** Records in all. */
  get size(): number {
    return this.records.length;
  }

  /** Records that are not done with. */
  get open(): number {
    return this.records.length - this.read + this.held;
  }

  private pump(): void {
    while (this.held < this.heldMost && this.read < this.records.length) {
      this.held++;
      const record = this.records[this.read++] as LogRecord;
      void this.handler([record])[0]?.then(() => {
        this.held--;
        if (this.clock.now() < record.timestamp + (retryDelayOf(this.topic) ?? 0)) this.early++;
        this.pump();
      });
    }
  }
}
