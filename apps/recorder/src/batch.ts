import type { LogRecord } from '@hookline/kafka';

/** Records that are written together, and one promise for all of them. */
export class Batch {
  readonly records: LogRecord[] = [];
  readonly written: Promise<void>;
  private resolve!: () => void;
  private bytes = 0;

  constructor(private readonly caps: { rows: number; bytes: number }) {
    this.written = new Promise((resolve) => (this.resolve = resolve));
  }

  add(record: LogRecord): void {
    this.records.push(record);
    this.bytes += record.value?.length ?? 0;
  }

  get full(): boolean {
    return this.records.length >= this.caps.rows || this.bytes >= this.caps.bytes;
  }

  settle(): void {
    this.resolve();
  }
}
