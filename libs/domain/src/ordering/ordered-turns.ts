import type { OrderedStream } from './ordered-stream.js';
import type { OrderedStreams } from './ordered-streams.js';
import type { GateVerdict, OrderedWork } from './ordered-work.js';
import type { Outstanding } from './outstanding.js';

/** Taken for an event's time while none of its key has been measured, ms. */
const FIRST_PACE_MS = 50;

/**
 * Whose turn it is in a stream, and where the others wait for theirs: in memory where it is near, else behind, in a tier.
 */
export class OrderedTurns<W extends OrderedWork> {
  /** Streams where events wait for one that is not in our hands. */
  private readonly blocked = new Set<OrderedStream<W>>();

  /** @param patienceMs what may get its turn within so long waits in memory */
  constructor(
    private readonly patienceMs: number,
    private readonly streams: OrderedStreams<W>,
  ) {}

  get isBlocked(): boolean {
    return this.blocked.size > 0;
  }

  /**
   * What has waited for too long for an event that is not in our hands moves on: it may be what keeps that one from
   * being read, for a lane is read no further while it holds too much.
   */
  tick(now: number): GateVerdict<W>[] {
    const verdicts: GateVerdict<W>[] = [];
    for (const stream of this.blocked) {
      if (stream.blockedSince === undefined || now - stream.blockedSince <= this.patienceMs) continue;
      for (const outstanding of stream.waiting) this.move(stream, outstanding, 0, false, verdicts);
      this.noteBlocked(stream, now);
    }
    return verdicts;
  }

  /** Records that are carried by another one end; and it is noted whether the event waits for its turn. */
  settle(stream: OrderedStream<W>, outstanding: Outstanding<W>, verdicts: GateVerdict<W>[]): void {
    for (const work of outstanding.surplus()) verdicts.push({ kind: 'drop', work });
    if (outstanding.isReady) stream.waiting.add(outstanding);
    else stream.waiting.delete(outstanding);
  }

  /**
   * Lets the first go where it is ready, and sees to where the others wait.
   * @param changed waiting events whose situation is another now
   * @param leniency what waits already is given some more time than what comes
   */
  advance(
    stream: OrderedStream<W>,
    now: number,
    verdicts: GateVerdict<W>[],
    changed: Iterable<Outstanding<W>>,
    leniency = 2,
  ): void {
    const { first } = stream;
    if (first === undefined) {
      this.streams.forget(stream);
      this.blocked.delete(stream);
      return;
    }
    if (first.isReady) {
      stream.waiting.delete(first);
      verdicts.push({ kind: 'go', work: first.attempt(now) });
    }
    const awayMs = first.isBusy ? 0 : Math.max(0, first.dueAt - now);
    for (const each of changed) if (each !== first) this.place(stream, each, awayMs, leniency, verdicts);
    this.noteBlocked(stream, now);
  }

  /** Leaves it waiting where its turn is near, else moves it. */
  private place(
    stream: OrderedStream<W>,
    outstanding: Outstanding<W>,
    awayMs: number,
    leniency: number,
    verdicts: GateVerdict<W>[],
  ): void {
    const { patienceMs } = this;
    const waitMs = awayMs + stream.ahead(outstanding) * (stream.paceMs ?? FIRST_PACE_MS);
    const behind = awayMs > patienceMs;
    if (behind || waitMs > patienceMs * leniency)
      this.move(stream, outstanding, behind ? awayMs : waitMs, behind, verdicts);
  }

  private move(
    stream: OrderedStream<W>,
    outstanding: Outstanding<W>,
    waitMs: number,
    behind: boolean,
    verdicts: GateVerdict<W>[],
  ): void {
    stream.waiting.delete(outstanding);
    verdicts.push({ kind: 'move', work: outstanding.move(), waitMs, behind });
  }

  private noteBlocked(stream: OrderedStream<W>, now: number): void {
    const { first } = stream;
    const isBlocked = first !== undefined && !first.isBusy && !first.isInHand && stream.waiting.size > 0;
    if (isBlocked) {
      stream.blockedSince ??= now;
      this.blocked.add(stream);
    } else {
      stream.blockedSince = undefined;
      this.blocked.delete(stream);
    }
  }
}
