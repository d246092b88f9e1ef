import type { Clock } from '@hookline/platform';

/** A line is written after so long without one, where nobody watches it change; ms. */
const LINE_MS = 5_000;
/** How often a line on a terminal changes, ms. */
const FRAME_MS = 100;

/** Something that takes a while. */
export interface Step {
  add(records: number): void;
  end(): void;
}

/** Tells somebody who waits how far it is: on a terminal in one line that changes, else in a line now and then. */
export class Progress {
  private toldAt: number;

  constructor(
    private readonly stream: { write: (text: string) => unknown; isTTY?: boolean },
    private readonly clock: Clock,
  ) {
    this.toldAt = clock.now();
  }

  say(text: string): void {
    this.stream.write(`${text}\n`);
  }

  /** @param total records */
  begin(what: string, total: number): Step {
    const { isTTY = false } = this.stream;
    let done = 0;
    let isTold = false;
    const tell = (): void => {
      isTold = true;
      this.toldAt = this.clock.now();
      const text = `${what}: ${done.toLocaleString('en')} of ${total.toLocaleString('en')}`;
      this.stream.write(isTTY ? `\r\x1b[K${text}` : `${text}\n`);
    };
    return {
      add: (records) => {
        done += records;
        if (this.clock.now() - this.toldAt >= (isTTY ? FRAME_MS : LINE_MS)) tell();
      },
      end: () => {
        if (!isTold) return;
        tell();
        if (isTTY) this.stream.write('\n');
      },
    };
  }
}
