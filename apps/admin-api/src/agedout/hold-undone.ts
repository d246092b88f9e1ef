import type { HeldReason } from '@hookline/contracts';
import type { Output } from '@hookline/kafka';
import type { Session } from '@hookline/persistence';
import { holdOf } from '../keepers/letters.js';
import { writeAll } from '../keepers/write-all.js';
import type { Undone } from './undone.js';
import { undoneDeliveries } from './undone-deliveries.js';

/**
 * Holds what aged out of a lane for a subscription that takes nothing now, one by one, as its owner would have done: so each has
 * its end where the log lets go of it before anybody asks for it.
 * @param until as it was asked with, ms since the epoch
 * @param most rows that it looks at, but for the rest of a page: it ends there, whether it is through or not
 * @returns how many it looked at
 */
export async function holdUndone(
  session: Session,
  output: Output,
  undone: Undone,
  until: number,
  reason: HeldReason,
  most: number,
  signal: AbortSignal,
): Promise<number> {
  let rowsLookedAt = 0;
  for await (const rows of undoneDeliveries(session, undone, until)) {
    const held = rows.filter(({ isUndone }) => isUndone);
    const holds = held.map((row) => holdOf(row, undone.subscriptionId, reason));
    await writeAll(output, holds, signal);
    rowsLookedAt += rows.length;
    if (rowsLookedAt >= most) break;
  }
  return rowsLookedAt;
}
