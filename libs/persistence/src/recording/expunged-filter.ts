import type { LogPosition } from '@hookline/contracts';
import type { PoolClient } from 'pg';
import type { OutcomeToRecord } from './attempt-rows.js';
import type { EventToRecord } from './event-rows.js';

const NOTHING = Buffer.alloc(0);

/**
 * Keeps out of the history what was expunged before it is written: where a database is made anew from the log, which still
 * has the payload, and what endpoints answered to it. An event that is written for the first time can't have been expunged
 * yet, so it is looked once what has been, and again after whatever went wrong: the database may have been made anew then.
 */
export class ExpungedFilter {
  /** When what was expunged was appended, by partition and offset: where the topic was made anew there may be several. */
  private known: ReadonlyMap<number, ReadonlyMap<number, readonly number[]>> | undefined;

  /** In the transaction of a batch, behind the lock on its offsets: whoever makes the database anew is through by then. */
  async look(client: Pick<PoolClient, 'query'>): Promise<void> {
    if (this.known !== undefined) return;
    const { rows } = await client.query<{ partition: number; offset: string; appended_at: Date }>(
      'SELECT partition, "offset", appended_at FROM expunged_events',
    );
    const known = new Map<number, Map<number, number[]>>();
    for (const { partition, offset, appended_at } of rows) {
      const ofPartition = known.get(partition) ?? new Map<number, number[]>();
      known.set(partition, ofPartition);
      ofPartition.set(Number(offset), [...(ofPartition.get(Number(offset)) ?? []), appended_at.getTime()]);
    }
    this.known = known;
  }

  /** The database may not be what it was. */
  forget(): void {
    this.known = undefined;
  }

  /** Without their data. */
  events(events: readonly EventToRecord[]): readonly EventToRecord[] {
    if (!events.some(({ position }) => this.has(position))) return events;
    return events.map((event) =>
      this.has(event.position) ? { ...event, payload: NOTHING, size: event.payload.length } : event,
    );
  }

  /** Without what endpoints have answered. */
  outcomes(outcomes: readonly OutcomeToRecord[]): readonly OutcomeToRecord[] {
    if (!outcomes.some(({ outcome }) => this.has(outcome.source))) return outcomes;
    return outcomes.map((each) => (this.has(each.outcome.source) ? withoutAnswer(each) : each));
  }

  private has({ partition, offset, at }: LogPosition): boolean {
    return this.known?.get(partition)?.get(offset)?.includes(at) === true;
  }
}

function withoutAnswer({ position, outcome }: OutcomeToRecord): OutcomeToRecord {
  const { delivery } = outcome;
  if (delivery?.attempt === undefined) return { position, outcome };
  const { responseBody: _, responseHeaders: __, ...attempt } = delivery.attempt;
  return { position, outcome: { ...outcome, delivery: { ...delivery, attempt } } };
}
