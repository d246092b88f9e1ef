import {
  encodeDeadLetterHeaders,
  encodeDeliveryHeaders,
  encodeOutcome,
  encodeWideHeaders,
  markUncounted,
  retryDelayOf,
  retryTopic,
  TOPICS,
  type AttemptOutcome,
  type DeadLetterReason,
  type EventEnvelope,
  type HeldReason,
  type LogPosition,
  type OutcomeRecord,
  type WideDelivery,
} from '@hookline/contracts';
import { NotDurable, type Assignment, type LogRecord, type OutgoingRecord } from '@hookline/kafka';
import type { Delivery, FirstRecord } from '../delivery.js';
import type { DeliveryMetrics } from '../metrics.js';
import type { PatientOutput } from './patient-output.js';

type Told = Omit<NonNullable<OutcomeRecord['delivery']>, 'id' | 'subscriptionId'>;

/** A delivery that waits already, and is put off once more by less than this, has nothing to tell; ms. */
const TOLD_FROM_MS = 60_000;

/** With the longest ids it is half of what a record may have. */
const MATCHED_IN_A_RECORD = 10_000;

/**
 * Where a delivery goes from here: to a lane, to the dead letters, or nowhere, for it has arrived; and in each case a
 * record of what happened. Everything resolves when it is durable, and rejects when it can't be made so.
 *
 * What it writes of a delivery that goes on, or ends undelivered, leaves only while the worker owns what it came from: one
 * that was frozen and wakes may have it in its queue still, and the next owner does all of it. A success is told in any case,
 * and so is what an event matched: that is a function of the log.
 */
export class Handover {
  constructor(
    private readonly output: PatientOutput,
    private readonly metrics: DeliveryMetrics,
    private readonly owns: (assignment: Assignment) => boolean,
  ) {}

  delivered(delivery: Delivery, attempt: AttemptOutcome): Promise<unknown> {
    return this.tell(delivery, { state: 'delivered', attempt });
  }

  /**
   * The owner of the subscription is to do it. No attempt is spent.
   * @param unhurried it found no room here, and would wait
   */
  toLane(delivery: Delivery, unhurried = false): Promise<unknown> {
    this.metrics.handedOver('deliveries');
    return Promise.all([
      this.write(TOPICS.deliveries, delivery, encodeDeliveryHeaders(delivery.envelope), unhurried),
      this.tellIfOurs(delivery, { state: 'pending', reason: 'busy' }),
    ]);
  }

  /** The lane's part of {@link toLane}, tried once: who hands over in order goes on from the first that fails. */
  toLaneOnce({ envelope, body }: Delivery, mayLeave: () => boolean): Promise<unknown> {
    const headers = encodeDeliveryHeaders(envelope);
    const key = envelope.subscriptionId;
    return this.output.appendOnce({ topic: TOPICS.deliveries, key, value: body, headers, mayLeave });
  }

  /** The other part: what is in the lane waits for its turn there. */
  isInLane(delivery: Delivery): Promise<unknown> {
    this.metrics.handedOver('deliveries');
    return this.tell(delivery, { state: 'pending' });
  }

  /** Many at once, to the one that owns their partition of the lanes: of each of them it is said when it is tried. */
  wideToLane(wide: WideDelivery, body: Buffer, partition: number, assignment: Assignment): Promise<unknown> {
    this.metrics.handedOver('deliveries', wide.subscriptionIds.length);
    const headers = encodeWideHeaders(wide);
    return this.appendIfOurs({ topic: TOPICS.deliveries, partition, value: body, headers }, assignment);
  }

  /**
   * History hears of each attempt, and of each wait that somebody might look at; not of every turn between tiers.
   * @param attempt what failed; absent where there was no room for one
   */
  retry(delivery: Delivery, delayMs: number, nextAttemptAt: number, attempt?: AttemptOutcome): Promise<unknown> {
    this.metrics.handedOver('retry');
    const headers = encodeDeliveryHeaders(delivery.envelope);
    const written = this.write(
      retryTopic(delayMs),
      delivery,
      delivery.waiting === undefined ? markUncounted(headers) : headers,
      true,
    );
    const isAnother = attempt === undefined && retryDelayOf(delivery.assignment.topic) !== undefined;
    if (isAnother && delayMs < TOLD_FROM_MS) return written;
    return Promise.all([
      written,
      this.tellIfOurs(delivery, {
        state: 'retrying',
        nextAttemptAt,
        ...(attempt ? { attempt } : { reason: 'busy' as const }),
      }),
    ]);
  }

  /** @param goneVersion the subscription's version whose endpoint said, by this attempt, that it is gone for good */
  deadLetter(
    delivery: Delivery,
    reason: DeadLetterReason,
    attempt?: AttemptOutcome,
    goneVersion?: number,
  ): Promise<unknown> {
    this.metrics.deadLettered(reason);
    return Promise.all([
      this.write(TOPICS.deadLetters, delivery, encodeDeadLetterHeaders({ delivery: delivery.envelope, reason }), true),
      this.tellIfOurs(delivery, { state: 'dead-lettered', reason, ...(attempt ? { attempt } : {}) }, goneVersion),
    ]);
  }

  /** It waits at its position of the log: nothing else has to be written. */
  held(delivery: Delivery, reason: HeldReason): Promise<unknown> {
    return this.tellIfOurs(delivery, { state: 'held', reason });
  }

  /** The owner's word on how much waits for a subscription. @param event some event, for the record is one about an event */
  backlog(event: EventEnvelope, source: LogPosition, backlog: NonNullable<OutcomeRecord['backlog']>): Promise<unknown> {
    return this.outcome({ ...about(event, source), backlog });
  }

  /** Keeps a record that can't be read as it is, with where it stood and why. */
  unreadable(record: LogRecord, detail: string): Promise<unknown> {
    this.metrics.deadLettered('unreadable');
    const headers: Record<string, Buffer | string> = {};
    for (const [name, value] of Object.entries(record.headers)) {
      const first = Array.isArray(value) ? value[0] : value;
      if (first !== undefined) headers[name] = first;
    }
    const origin = `${record.topic}:${record.partition}:${record.offset}`;
    const why = { reason: 'unreadable' satisfies DeadLetterReason, detail, origin };
    const { assignment, key, value } = record;
    const letter = { topic: TOPICS.deadLetters, key, value, headers: { ...headers, ...why } };
    return this.appendIfOurs(letter, assignment).catch((error: unknown) => {
      if (!(error instanceof NotDurable) || error.reason !== 'refused') throw error;
      // Too large with what is added to it: it must not stop the lane, and the log has it.
      return this.appendIfOurs({ ...letter, key: null, value: null, headers: why }, assignment);
    });
  }

  /** What an event matched, where no delivery's first record says it. */
  async matched(event: EventEnvelope, source: LogPosition, firstRecord: FirstRecord): Promise<void> {
    const ids = firstRecord.take();
    if (ids === undefined) return;
    const records: OutcomeRecord[] = [];
    for (let from = 0; from === 0 || from < ids.length; from += MATCHED_IN_A_RECORD)
      records.push({ ...about(event, source), matched: ids.slice(from, from + MATCHED_IN_A_RECORD) });
    try {
      await Promise.all(records.map((record) => this.outcome(record)));
    } catch (error) {
      firstRecord.giveBack();
      throw error;
    }
  }

  duplicate(event: EventEnvelope, source: LogPosition, duplicateOf: number): Promise<unknown> {
    this.metrics.duplicate();
    return this.outcome({ ...about(event, source), matched: [], duplicateOf });
  }

  private write(
    topic: string,
    { envelope, body, assignment }: Delivery,
    headers: Record<string, Buffer | string>,
    unhurried: boolean,
  ): Promise<unknown> {
    return this.appendIfOurs({ topic, key: envelope.subscriptionId, value: body, headers, unhurried }, assignment);
  }

  private tellIfOurs(delivery: Delivery, part: Told, goneVersion?: number): Promise<unknown> {
    return this.tell(delivery, part, goneVersion, delivery.assignment);
  }

  private tell(delivery: Delivery, part: Told, goneVersion?: number, ifOurs?: Assignment): Promise<unknown> {
    const { envelope, firstRecord } = delivery;
    const record: OutcomeRecord = about(envelope.event, envelope.source);
    const matched = firstRecord?.take();
    if (matched !== undefined) record.matched = matched;
    record.delivery = { id: envelope.deliveryId, subscriptionId: envelope.subscriptionId, ...part };
    if (envelope.replayId !== undefined) record.delivery.replayId = envelope.replayId;
    if (goneVersion !== undefined) record.gone = { subscriptionId: envelope.subscriptionId, version: goneVersion };
    const written = this.outcome(record, ifOurs);
    if (matched === undefined || firstRecord === undefined) return written;
    return written.catch((error: unknown) => {
      firstRecord.giveBack();
      throw error;
    });
  }

  private outcome(outcome: OutcomeRecord, ifOurs?: Assignment): Promise<unknown> {
    const record = { topic: TOPICS.attempts, value: encodeOutcome(outcome) };
    return ifOurs === undefined ? this.output.append(record) : this.appendIfOurs(record, ifOurs);
  }

  private appendIfOurs(record: OutgoingRecord, assignment: Assignment): Promise<unknown> {
    return this.output.append({ ...record, mayLeave: () => this.owns(assignment) }, assignment.signal);
  }
}

function about(event: EventEnvelope, source: LogPosition): OutcomeRecord {
  return { v: 1, tenant: event.tenant, eventId: event.id, type: event.type, source };
}
