import type { Exchange } from './exchange.js';

export interface Deadlines {
  /** How long an attempt may take, from the start to the last byte of the answer, ms. */
  attemptTimeoutMs: number;
  /** How long the first byte of an answer may take from when the request was handed to an open connection, ms. */
  firstByteTimeoutMs: number;
}

/**
 * Gives an exchange up when its time is over. It is one timer: where the first byte's time is the shorter one, that
 * goes first, and is set again for what remains of the other. So an attempt that is quick has only one.
 */
export class Deadline {
  private timer: NodeJS.Timeout;

  constructor(
    private readonly exchange: Exchange,
    private readonly deadlines: Deadlines,
  ) {
    this.timer = setTimeout(look, Math.min(deadlines.attemptTimeoutMs, deadlines.firstByteTimeoutMs), this);
  }

  clear(): void {
    clearTimeout(this.timer);
  }

  look(): void {
    const { exchange, deadlines } = this;
    const now = performance.now();
    const untilEnd = exchange.startedAt + deadlines.attemptTimeoutMs - now;
    const untilFirst = exchange.answered ? Infinity : (exchange.sentAt ?? now) + deadlines.firstByteTimeoutMs - now;
    // A timer may fire within the millisecond before its time.
    if (untilEnd < 1) return exchange.giveUp('timeout');
    if (untilFirst < 1) return exchange.giveUp('first-byte-timeout');
    this.timer = setTimeout(look, Math.min(untilEnd, untilFirst), this);
  }
}

function look(deadline: Deadline): void {
  deadline.look();
}
