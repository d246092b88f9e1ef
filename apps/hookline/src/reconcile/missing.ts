import { deliveryIdOf } from '@hookline/domain';
import type { ReadRecord } from '@hookline/kafka';
import { eventIn } from './ledger-writer.js';
import type { Ledger } from './ledger.js';

/** A delivery that nobody has, and that has no end. */
export interface Missing {
  partition: number;
  offset: number;
  /** When the event was appended, ms since the epoch. */
  at: number;
  eventId: string;
  type: string;
  tenant: string;
  subscriptionId: string;
  deliveryId: string;
  /** When something was told of it last, ms since the epoch; undefined: never. */
  toldAt: number | undefined;
}

/** A row of the ledger, what it stands for, and its event. */
export interface MissingRow {
  row: number;
  missing: Missing;
  record: ReadRecord;
}

/** What is missing of one event, as it was confirmed. */
export function missingOf(ledger: Ledger, record: ReadRecord): MissingRow[] {
  const { partition, offset, timestamp: at } = record;
  const rows = ledger.soughtAt(partition, offset).filter((row) => ledger.isConfirmed(row));
  const event = rows.length === 0 ? undefined : eventIn(record);
  if (event === undefined) return [];
  const { id: eventId, type, tenant } = event;
  return rows.map((row) => {
    const subscriptionId = ledger.subscribedOf(row).id;
    const deliveryId = deliveryIdOf(event, { partition, offset }, subscriptionId);
    const toldAt = ledger.lastToldAt(row);
    return {
      row,
      record,
      missing: { partition, offset, at, eventId, type, tenant, subscriptionId, deliveryId, toldAt },
    };
  });
}
