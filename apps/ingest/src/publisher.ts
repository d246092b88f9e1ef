import { encodeEvent } from '@hookline/contracts';
import { NotDurable, type Appended, type Output } from '@hookline/kafka';
import { ProblemError } from '@hookline/platform';
import type { IncomingEvent } from './event-reader.js';
import { retryAfter } from './problems.js';

/** An event that every in-sync replica has. */
export interface Accepted extends Appended {
  id: string;
}

/** What happened to an event of a batch that is not known to be durable as a whole. */
type BatchOutcome = ({ durable: true } & Accepted) | { durable: false; id: string };

/** A request that meets a full buffer may find room soon; one that waited in vain should give Kafka some time. */
const RETRY_SOON_S = 1;
const RETRY_LATER_S = 5;

/** Puts events into the log, and says where they stand once they can't be lost. */
export class Publisher {
  constructor(
    private readonly output: Output,
    private readonly deadlineMs: number,
  ) {}

  /** @throws ProblemError with status 503 if the event is not known to be durable; it may still be delivered */
  async one(tenant: string, event: IncomingEvent): Promise<Accepted> {
    try {
      return { id: event.fields.id, ...(await this.append(tenant, event)) };
    } catch (error) {
      if (!(error instanceof NotDurable)) throw error;
      throw notDurable(error, { id: event.fields.id });
    }
  }

  /** In order. @throws ProblemError with status 503 that says which of them are durable */
  async batch(tenant: string, events: readonly IncomingEvent[]): Promise<Accepted[]> {
    const results = await Promise.allSettled(events.map((event) => this.append(tenant, event)));
    const accepted: Accepted[] = [];
    const outcomes: BatchOutcome[] = [];
    let failure: NotDurable | undefined;
    for (const [index, result] of results.entries()) {
      const { id } = (events[index] as IncomingEvent).fields;
      if (result.status === 'fulfilled') {
        accepted.push({ id, ...result.value });
        outcomes.push({ durable: true, id, ...result.value });
      } else if (result.reason instanceof NotDurable) {
        failure ??= result.reason;
        outcomes.push({ durable: false, id });
      } else throw result.reason;
    }
    if (failure) throw notDurable(failure, { events: outcomes });
    return accepted;
  }

  private append(tenant: string, { fields, callerId, data }: IncomingEvent): Promise<Appended> {
    const record = encodeEvent({ tenant, ...fields }, callerId, data);
    return this.output.produce(record, this.deadlineMs);
  }
}

function notDurable(error: NotDurable, extensions: { id: string } | { events: BatchOutcome[] }): ProblemError {
  return new ProblemError(
    503,
    'not-durable',
    'Not known to be durable',
    {
      detail:
        'It may still be delivered. Send it again with the same id: a repeat of an id that you gave makes no second delivery.',
      reason: error.reason,
      ...extensions,
    },
    retryAfter(error.reason === 'deadline' ? RETRY_LATER_S : RETRY_SOON_S),
  );
}
