import { decodeEventHeaders, UnreadableRecord, type EventEnvelope, type LogPosition } from '@hookline/contracts';
import { deliveryIdOf } from '@hookline/domain';
import type { ReadBatch, ReadRecord } from '@hookline/kafka';
import type { DeliveryStates, KnownState } from '@hookline/persistence';
import type { Logger } from '@hookline/platform';
import { choiceOf } from './choice.js';
import type { Decisions } from './decisions.js';
import { isHeld, type HeldSpan } from './held-spans.js';
import type { ReplayJob } from './replay-job.js';
import type { ReplayMatcher } from './replay-matcher.js';

/** An event that a replay brings, and to whom. */
export interface Selected {
  record: ReadRecord;
  event: EventEnvelope;
  deliveries: { id: string; subscriptionId: string }[];
  /** Deliveries of it that this replay has handed over before it was interrupted; they have had an outcome since. */
  before: number;
}

export interface SelectionParts {
  matcher: ReplayMatcher;
  /** For one run. */
  decisions: Decisions;
  states: DeliveryStates;
  logger: Logger;
  /** Of a catch-up or a backlog: what it brings. */
  spans: readonly HeldSpan[];
}

/** What a replay brings of what it reads: by matching, by what history knows of each delivery, and without repeats. */
export class Selection {
  private readonly choice: ReturnType<typeof choiceOf>;

  constructor(
    private readonly job: ReplayJob,
    private readonly parts: SelectionParts,
  ) {
    this.choice = choiceOf(job);
  }

  /** In the order of the log. */
  async of(batch: ReadBatch, signal: AbortSignal): Promise<Selected[]> {
    const matched = this.matched(batch);
    const states = this.choice === undefined ? new Map<string, KnownState>() : await this.statesOf(matched);
    const chosen = matched.map((selected) => this.chosen(selected, states)).filter(isAny);
    // What history knows a delivery of is decided, and is no repeat.
    const open = chosen.filter(({ deliveries }) => deliveries.some(({ id }) => !states.has(id)));
    const repeats = await this.parts.decisions.duplicatesAmong(
      open.map(({ record }) => positionOf(record)),
      signal,
    );
    return chosen.filter(({ record }) => !repeats.has(record.offset));
  }

  private matched(batch: ReadBatch): Selected[] {
    return batch.records.flatMap((record) => {
      const event = this.eventOf(record);
      if (event === undefined || (this.job.tenantId !== null && event.tenant !== this.job.tenantId)) return [];
      const deliveries = this.parts.matcher
        .match(event)
        .map((subscriptionId) => ({ id: deliveryIdOf(event, record, subscriptionId), subscriptionId }));
      return deliveries.length === 0 ? [] : [{ record, event, deliveries, before: 0 }];
    });
  }

  private chosen(selected: Selected, states: ReadonlyMap<string, KnownState>): Selected {
    const { choice } = this;
    if (choice === undefined) return selected;
    const { partition, offset, timestamp } = selected.record;
    const held = timestamp >= (this.job.since ?? 0) && isHeld(this.parts.spans, partition, offset);
    const left = selected.deliveries.filter(({ id }) => states.get(id)?.replayed !== true);
    return {
      ...selected,
      deliveries: left.filter(({ id }) => choice(states.get(id)?.state, held)),
      before: selected.deliveries.length - left.length,
    };
  }

  private statesOf(matched: readonly Selected[]): Promise<Map<string, KnownState>> {
    const asked = matched.flatMap(({ record, deliveries }) =>
      deliveries.map(({ id }) => ({ id, at: record.timestamp })),
    );
    return this.parts.states.of(asked, this.job.id);
  }

  private eventOf(record: ReadRecord): EventEnvelope | undefined {
    try {
      return decodeEventHeaders(record.headers);
    } catch (error) {
      if (!(error instanceof UnreadableRecord)) throw error;
      const { partition, offset } = record;
      this.parts.logger.warn({ err: error, partition, offset }, 'a replay left out a record that can not be read');
      return undefined;
    }
  }
}

export function positionOf({ partition, offset, timestamp }: ReadRecord): LogPosition {
  return { partition, offset, at: timestamp };
}

function isAny({ deliveries, before }: Selected): boolean {
  return deliveries.length > 0 || before > 0;
}
