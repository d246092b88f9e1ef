import {
  encodeDeliveryHeaders,
  encodeOutcome,
  TOPICS,
  type EventEnvelope,
  type LogPosition,
} from '@hookline/contracts';
import type { Output, ReadRecord } from '@hookline/kafka';
import type { Clock } from '@hookline/platform';
import { buriedOf, buryEach } from '../../../admin-api/src/keepers/burial.js';
import { InFlight } from '../../../admin-api/src/replays/in-flight.js';
import { eventIn, positionOf } from './ledger-writer.js';
import type { Look } from './ledger.js';
import { missingOf, type Missing } from './missing.js';
import type { Reconciler } from './reconciler.js';
import type { EndState } from './verdict.js';

/** Bytes that wait for Kafka at most. */
const IN_FLIGHT_BYTES = 8_388_608;
const LOOK_AGAIN_MS = 500;
/** Of those that are sent again the first so many are listed one by one. */
const MOST_LISTED = 1_000;

export interface Sent {
  deliveries: number;
  /** Their rows. */
  rows: ReadonlySet<number>;
  listed: { row: number; missing: Missing }[];
  /** Subscriptions that are paused or disabled, and how many of theirs were left. */
  refused: Map<string, { status: string; deliveries: number }>;
  /** Of events whose payload was expunged: they were not sent, and have ended as dead letters. */
  expunged: number;
}

/** What became of what was sent again. */
export interface Repaired {
  states: Partial<Record<EndState, number>>;
  listed: (Missing & { state: EndState })[];
}

/** Sends what is missing again: a record of `hookline.deliveries` for each, as the keeper of late learners does. */
export class Repair {
  constructor(
    private readonly reconciler: Reconciler,
    private readonly output: Output,
    private readonly clock: Clock,
    private readonly isExpunged: (position: LogPosition) => boolean,
  ) {}

  /**
   * Looks once more first, for whoever was asked may have thought for long: what has an end or a place by then is not sent.
   * Resolves when all of it is durable. What can't be sent, because its subscription takes nothing now, is left, and so is
   * what was expunged: that gets its end instead.
   */
  async send(): Promise<Sent> {
    const { ledger } = this.reconciler;
    ledger.seek(await this.reconciler.look());
    const rows = new Set<number>();
    const sent: Sent = { deliveries: 0, rows, listed: [], refused: new Map(), expunged: 0 };
    const { signal } = new AbortController();
    const inFlight = new InFlight(IN_FLIGHT_BYTES, signal);
    await this.reconciler.eachSought(async (record) => {
      const all = missingOf(ledger, record);
      if (this.isExpunged(positionOf(record))) {
        await this.bury(record, all, signal);
        for (const { row } of all) rows.add(row);
        sent.expunged += all.length;
        return;
      }
      for (const { row, missing } of all) {
        const { status, epoch } = ledger.subscribedOf(row).record;
        if (status === 'paused' || status === 'disabled') {
          const known = sent.refused.get(missing.subscriptionId)?.deliveries ?? 0;
          sent.refused.set(missing.subscriptionId, { status, deliveries: known + 1 });
          continue;
        }
        await inFlight.add(record.value?.length ?? 0, () => this.handOver(record, missing, epoch));
        rows.add(row);
        sent.deliveries += 1;
        if (sent.listed.length < MOST_LISTED) sent.listed.push({ row, missing });
      }
    });
    await inFlight.settled();
    return sent;
  }

  /** Looks until each of them has an end, or the time is over. @returns the last look, and their states then */
  async follow({ rows, listed }: Sent, waitMs: number): Promise<{ look: Look; repaired: Repaired }> {
    const end = this.clock.now() + waitMs;
    for (;;) {
      const look = await this.reconciler.look();
      this.reconciler.ledger.seek(look);
      const states = new Map<number, EndState>();
      this.reconciler.ledger.each(look, ({ row }, { state }) => {
        if (rows.has(row)) states.set(row, state);
      });
      const isOver = [...states.values()].every((state) => state !== 'pending' && state !== 'missing');
      if (isOver || this.clock.now() >= end) return { look, repaired: repairedOf(states, listed) };
      await new Promise<void>((resolve) => this.clock.after(LOOK_AGAIN_MS, resolve));
    }
  }

  private async bury(record: ReadRecord, all: readonly { missing: Missing }[], signal: AbortSignal): Promise<void> {
    const event = eventIn(record) as EventEnvelope;
    const position = positionOf(record);
    const ended = all.map(({ missing: { subscriptionId } }) => buriedOf(subscriptionId, event, position));
    await buryEach(this.output, ended, 'expunged', signal);
  }

  /** Into the lane first: what is told of it must be so. */
  private async handOver(record: ReadRecord, { subscriptionId, deliveryId }: Missing, epoch = 0): Promise<void> {
    const event = eventIn(record) as EventEnvelope;
    const source: LogPosition = positionOf(record);
    const headers = encodeDeliveryHeaders({
      event,
      source,
      subscriptionId,
      deliveryId,
      attempts: 0,
      ...(epoch === 0 ? {} : { epoch }),
      history: [],
    });
    await this.output.produce({ topic: TOPICS.deliveries, key: subscriptionId, value: record.value, headers });
    const { tenant, id: eventId, type } = event;
    const delivery = { id: deliveryId, subscriptionId, state: 'pending' as const };
    const value = encodeOutcome({ v: 1, tenant, eventId, type, source, delivery });
    await this.output.produce({ topic: TOPICS.attempts, value });
  }
}

function repairedOf(states: ReadonlyMap<number, EndState>, listed: Sent['listed']): Repaired {
  const counts: Repaired['states'] = {};
  for (const state of states.values()) counts[state] = (counts[state] ?? 0) + 1;
  return {
    states: counts,
    listed: listed.map(({ row, missing }) => ({ ...missing, state: states.get(row) ?? 'missing' })),
  };
}
