import { decodeEventHeaders, UnreadableRecord, type EventEnvelope, type LogPosition } from '@hookline/contracts';
import { deliveryIdOf } from '@hookline/domain';
import type { ReadBatch, ReadRecord } from '@hookline/kafka';
import type { DeliveryStates, ExpungedPayloads, KnownState } from '@hookline/persistence';
import type { Logger } from '@hookline/platform';
import { choiceOf } from './choice.js';
import type { Decisions } from './decisions.js';
import { isHeld, type HeldSpan } from './held-spans.js';
import type { ReplayJob } from './replay-job.js';
import type { ReadEvent, Recipients } from './recipients.js';

interface Chosen {
  id: string;
  subscriptionId: string;
}

/** An event that a replay brings, and to whom. */
export interface Selected {
  record: ReadRecord;
  event: EventEnvelope;
  deliveries: Chosen[];
  /** Deliveries that it would bring, but that the payload was expunged. */
  expunged: Chosen[];
  /** Deliveries of it that this replay has handed over before it was interrupted; they have had an outcome since. */
  before: number;
  /** Nobody knows whom it is for: it is counted, and left out. */
  undecided: boolean;
}

export interface SelectionParts {
  recipients: Recipients;
  /** For one run. */
  decisions: Decisions;
  states: DeliveryStates;
  payloads: Pick<ExpungedPayloads, 'among'>;
  logger: Logger;
  /** Of a catch-up or a backlog: what it brings. */
  spans: readonly HeldSpan[];
}

/**
 * What a replay brings of what it reads: by whom it is for, by what history knows of each delivery, without repeats;
 * what was expunged since is told apart.
 */
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
    const selected = await this.selected(batch, signal);
    const expunged = await this.parts.payloads.among(selected.map(({ record }) => positionOf(record)));
    if (expunged.size === 0) return selected;
    return selected.map((each) =>
      expunged.has(each.record.offset) ? { ...each, deliveries: [], expunged: each.deliveries } : each,
    );
  }

  private async selected(batch: ReadBatch, signal: AbortSignal): Promise<Selected[]> {
    const found = await this.found(batch, signal);
    const states = this.choice === undefined ? new Map<string, KnownState>() : await this.statesOf(found);
    const chosen = found.map((selected) => this.chosen(selected, states)).filter(isAny);
    if (this.parts.recipients.byHistory) return chosen;
    // What history knows a delivery of is decided, and is no repeat.
    const open = chosen.filter(({ deliveries }) => deliveries.some(({ id }) => !states.has(id)));
    const repeats = await this.parts.decisions.duplicatesAmong(
      open.map(({ record }) => positionOf(record)),
      signal,
    );
    return chosen.filter(({ record }) => !repeats.has(record.offset));
  }

  private async found(batch: ReadBatch, signal: AbortSignal): Promise<Selected[]> {
    const read = batch.records.flatMap((record): (ReadEvent & { record: ReadRecord })[] => {
      const event = this.eventOf(record);
      if (event === undefined || (this.job.tenantId !== null && event.tenant !== this.job.tenantId)) return [];
      return [{ record, event, position: positionOf(record) }];
    });
    const ids = await this.parts.recipients.of(read, signal);
    return read.flatMap(({ record, event, position }) => {
      const known = ids.get(position.offset);
      const deliveries = (known ?? []).map((subscriptionId) => {
        return { id: deliveryIdOf(event, position, subscriptionId), subscriptionId };
      });
      const undecided = known === undefined;
      return undecided || deliveries.length > 0
        ? [{ record, event, deliveries, expunged: [], before: 0, undecided }]
        : [];
    });
  }

  private chosen(selected: Selected, states: ReadonlyMap<string, KnownState>): Selected {
    const { choice } = this;
    if (choice === undefined) return selected;
    const { partition, offset, timestamp } = selected.record;
    const isNew = timestamp >= (this.job.since ?? 0);
    const held = isNew && isHeld(this.parts.spans, partition, offset);
    const left = selected.deliveries.filter(({ id }) => states.get(id)?.replayed !== true);
    return {
      ...selected,
      deliveries: left.filter(
        ({ id }) =>
          states.get(id)?.discarded !== true &&
          choice(states.get(id)?.state, held, isNew && states.get(id)?.missed === true),
      ),
      before: selected.deliveries.length - left.length,
    };
  }

  private statesOf(found: readonly Selected[]): Promise<Map<string, KnownState>> {
    const asked = found.flatMap(({ record, deliveries }) => deliveries.map(({ id }) => ({ id, at: record.timestamp })));
    return this.parts.states.of(asked, this.job.id, this.job.missedSince);
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

function isAny({ deliveries, before, undecided }: Selected): boolean {
  return deliveries.length > 0 || before > 0 || undecided;
}
