import {
  decodeDeadLetterHeaders,
  decodeDeliveryHeaders,
  decodeEventHeaders,
  decodeHeldRange,
  decodeOutcome,
  decodeWideHeaders,
  isOfSource,
  isWide,
  readable,
  type EventEnvelope,
  type LogPosition,
} from '@hookline/contracts';
import type { ReadRecord } from '@hookline/kafka';
import type { Ledger } from './ledger.js';
import type { Matching } from './matching.js';

/** Takes the records of Hookline's topics into a ledger. What can't be read there has nothing to say here. */
export class LedgerWriter {
  constructor(
    private readonly ledger: Ledger,
    private readonly matching: Matching,
  ) {}

  readonly event = (record: ReadRecord): void => {
    const event = eventIn(record);
    if (event === undefined) return this.ledger.unreadable();
    const { partition, offset } = record;
    this.ledger.event(positionOf(record), this.matching.match(event.tenant, event.type, partition, offset));
  };

  /** Of an event that is known already: what was sought of it. */
  readonly eventAgain = (record: ReadRecord): void => {
    const event = eventIn(record);
    if (event === undefined) return;
    const { partition, offset } = record;
    const rows = this.ledger.soughtAt(partition, offset);
    if (rows.length > 0) this.ledger.rematch(rows, this.matching.match(event.tenant, event.type, partition, offset));
  };

  readonly outcome = (record: ReadRecord): void => {
    const outcome = readable(() => decodeOutcome(record.value));
    if (outcome !== undefined) this.ledger.outcome(positionOf(record), outcome);
  };

  readonly letter = (record: ReadRecord): void => {
    // A source's producers choose the headers of such a record.
    if (isOfSource(record.headers)) return;
    const held = readable(() => decodeHeldRange(record.headers));
    if (held !== undefined) return this.ledger.range(held);
    const letter = readable(() => decodeDeadLetterHeaders(record.headers));
    if (letter !== undefined) this.ledger.letter(positionOf(record), letter.delivery);
  };

  readonly lane = (record: ReadRecord): void => {
    const position = positionOf(record);
    if (!isWide(record.headers)) {
      const delivery = readable(() => decodeDeliveryHeaders(record.headers));
      if (delivery !== undefined) this.ledger.lane(position, delivery);
      return;
    }
    const wide = readable(() => decodeWideHeaders(record.headers));
    if (wide === undefined) return;
    const { source, subscriptionIds } = wide;
    for (const subscriptionId of subscriptionIds) this.ledger.lane(position, { source, subscriptionId });
  };
}

export function positionOf({ partition, offset, timestamp }: ReadRecord): LogPosition {
  return { partition, offset, at: timestamp };
}

/** Undefined where its worker can't read it either, and keeps it among the dead letters. */
export function eventIn({ headers, value }: ReadRecord): EventEnvelope | undefined {
  return value === null ? undefined : readable(() => decodeEventHeaders(headers));
}
