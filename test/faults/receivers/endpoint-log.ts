import type { Entry } from './entries.js';

/** What is known of one event at one endpoint. */
interface Known {
  /** When it was accepted, by `webhook-id`; ms since the epoch. */
  accepted: Map<string, number[]>;
  /** By attempt: when it first came, or, once that is known, when it was first refused; ms since the epoch. */
  attempts: Map<number, number>;
}

/** One that was accepted once more. */
export interface Repeat {
  eventId: string;
  /** When it had been accepted before, and when it was again, ms since the epoch. */
  before: number;
  again: number;
}

interface Open {
  eventId: string;
  webhookId: string;
  attempt: number;
}

const ACCEPTED = 204;

/** What one endpoint has got, and what was wrong with when it came. */
export class EndpointLog {
  /** What came before it was due. */
  readonly early: string[] = [];
  /** What came before an earlier one of its key had been accepted: both their ids. */
  readonly disordered: [id: string, former: string][] = [];
  requests = 0;
  private readonly events = new Map<string, Known>();
  private readonly unanswered = new Map<number, Open>();
  private acceptedCount = 0;

  /**
   * @param delays of the retries in their order, the last of which repeats, ms
   * @param before the event of the same key that was published before this one; only where order is promised
   */
  constructor(
    private readonly delays: readonly number[],
    private readonly before: (eventId: string) => string | undefined = () => undefined,
  ) {}

  /** Distinct events that were accepted. */
  get size(): number {
    return this.acceptedCount;
  }

  /** Requests that wait for their answer. */
  get open(): number {
    return this.unanswered.size;
  }

  has(eventId: string): boolean {
    return (this.events.get(eventId)?.accepted.size ?? 0) > 0;
  }

  /** The ids of all events that were accepted. */
  *ids(): Generator<string> {
    for (const [id, { accepted }] of this.events) if (accepted.size > 0) yield id;
  }

  /** What was accepted that had been accepted already, under the same `webhook-id`. */
  get repeats(): Repeat[] {
    return [...this.events].flatMap(([eventId, { accepted }]) =>
      [...accepted.values()].flatMap((times) =>
        times.slice(1).map((again, n) => ({ eventId, before: times[n] as number, again })),
      ),
    );
  }

  /** When an event was accepted first, ms since the epoch; undefined where it never was. */
  firstAccepted(eventId: string): number | undefined {
    const times = [...(this.events.get(eventId)?.accepted.values() ?? [])].flat();
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Events that were accepted under more than one `webhook-id`. */
  get twins(): string[] {
    return [...this.events].filter(([, { accepted }]) => accepted.size > 1).map(([id]) => id);
  }

  take(entry: Entry): void {
    if (entry[0] === 'request') this.request(entry);
    else this.answer(entry);
  }

  private request([, number, , eventId, webhookId, attempt, at]: Extract<Entry, ['request', ...unknown[]]>): void {
    this.requests += 1;
    const known = this.events.get(eventId) ?? { accepted: new Map(), attempts: new Map() };
    this.events.set(eventId, known);
    this.unanswered.set(number, { eventId, webhookId, attempt });
    const last = known.attempts.get(attempt - 1);
    const delay = this.delays[Math.min(attempt - 2, this.delays.length - 1)] ?? 0;
    if (attempt > 1 && last !== undefined && at < last + delay)
      this.early.push(`${eventId}: attempt ${attempt} came ${last + delay - at} ms before it was due`);
    if (!known.attempts.has(attempt)) known.attempts.set(attempt, at);
    const former = this.before(eventId);
    if (former !== undefined && !this.has(former) && known.accepted.size === 0) this.disordered.push([eventId, former]);
  }

  private answer([, number, status, at]: Extract<Entry, ['answer', ...unknown[]]>): void {
    const open = this.unanswered.get(number);
    if (!open) return;
    this.unanswered.delete(number);
    const known = this.events.get(open.eventId) as Known;
    if (status !== ACCEPTED) {
      // The first refusal of an attempt is the earliest from which its delay can have been counted.
      if (status !== 0 && !known.attempts.has(-open.attempt)) {
        known.attempts.set(-open.attempt, at);
        known.attempts.set(open.attempt, at);
      }
      return;
    }
    if (known.accepted.size === 0) this.acceptedCount += 1;
    const times = known.accepted.get(open.webhookId) ?? [];
    known.accepted.set(open.webhookId, [...times, at]);
  }
}
