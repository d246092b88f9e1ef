import type { Output } from '@hookline/kafka';
import type { Session } from '@hookline/persistence';
import { buryAll, endOf, heldRangeLetter } from '../keepers/letters.js';
import type { Undone } from './undone.js';
import { undoneDeliveries, type UndoneDelivery } from './undone-deliveries.js';

interface Run {
  from: number;
  to: number;
  since: Date;
}

/**
 * Ends what can't be brought again, for neither its lane nor the log of the events has it: a dead letter for each range in
 * which the subscription got nothing else, and then the end of each delivery, for history. After a crash what has no end yet
 * gets another letter.
 * @param gone of one subscription and partition
 * @param until as it was asked with, ms since the epoch
 * @param most rows that it looks at, but for the rest of a page: it ends there, whether it is through or not
 * @returns how many it looked at
 */
export async function buryLost(
  session: Session,
  output: Output,
  gone: Undone,
  until: number,
  most: number,
  signal: AbortSignal,
): Promise<number> {
  const { subscriptionId, partition } = gone;
  let rowsLookedAt = 0;
  for await (const rows of undoneDeliveries(session, gone, until)) {
    const tenantId = rows.at(-1)?.event.tenant ?? '';
    const letters = runsOf(rows).map(({ since, ...range }) =>
      heldRangeLetter({ subscriptionId, tenantId, since }, { partition, ...range }, 'let-go'),
    );
    const ends = rows.filter(({ isUndone }) => isUndone).map((row) => endOf(row, subscriptionId, 'let-go'));
    await buryAll(output, letters, ends, signal);
    rowsLookedAt += rows.length;
    if (rowsLookedAt >= most) break;
  }
  return rowsLookedAt;
}

/** The ranges without a delivery that is not lost. */
function runsOf(rows: readonly UndoneDelivery[]): Run[] {
  const runs: Run[] = [];
  let open: Run | undefined;
  for (const { isUndone, position } of rows) {
    const { offset, at } = position;
    if (isUndone && open) open.to = offset + 1;
    else if (isUndone) runs.push((open = { from: offset, to: offset + 1, since: new Date(at) }));
    else open = undefined;
  }
  return runs;
}
