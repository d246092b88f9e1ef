import { encodeProgress, expungedKey, TOPICS } from '@hookline/contracts';
import type { Output, TopicSpec } from '@hookline/kafka';
import type { Expunged, ExpungedPayloads } from '@hookline/persistence';
import { ProblemError, type Clock } from '@hookline/platform';
import { tenantFor, type Caller } from '../auth/caller.js';
import { notFound } from '../http/problems.js';
import { isStorable } from '../http/text.js';
import { logCopies } from './log-copies.js';
import type { ExpungedView, ExpungeQuery } from './payloads.schemas.js';

export interface PayloadsParts {
  payloads: ExpungedPayloads;
  /** The topics as they are kept. */
  plan: readonly TopicSpec[];
  output: Output;
  clock: Clock;
}

export interface PayloadsSettings {
  /** For how long an open delivery is tried, ms. */
  windowMs: number;
  /** How long Kafka may take, ms. */
  timeoutMs: number;
}

/**
 * Takes payloads out of the history, and says where else they are. It is also said in the log that they were, for whoever
 * makes the database anew from the log, or sends again what it has.
 */
export class PayloadsService {
  constructor(
    private readonly parts: PayloadsParts,
    private readonly settings: PayloadsSettings,
  ) {}

  /**
   * @throws ProblemError 404 where history has no such event of the tenant, or not yet; 503 where the log does not take it:
   * the payload is out of the history then, and the same request once more tells the log
   */
  async expunge(caller: Caller, id: string, query: ExpungeQuery): Promise<ExpungedView> {
    const tenantId = tenantFor(caller, query.tenantId);
    const { payloads, plan, clock } = this.parts;
    const { windowMs } = this.settings;
    const events = isStorable(id) ? await payloads.expunge(tenantId, id) : [];
    if (events.length === 0) throw notFound('event');
    await this.tell(events);
    const now = clock.now();
    const deliveries = await payloads.copiesOf(tenantId, events, now - windowMs);
    return {
      id,
      tenantId,
      events: events.map(({ partition, offset, at, expungedAt }) => ({
        partition,
        offset,
        appendedAt: new Date(at).toISOString(),
        expungedAt: expungedAt.toISOString(),
      })),
      copies: logCopies(plan, events, deliveries, windowMs, now).map(({ topic, until }) => ({
        topic,
        until: new Date(until).toISOString(),
      })),
    };
  }

  private async tell(events: readonly Expunged[]): Promise<void> {
    const { output } = this.parts;
    const told = events.map(({ partition, offset, at, expungedAt }) =>
      output.produce(
        {
          topic: TOPICS.progress,
          key: expungedKey({ partition, offset }),
          value: encodeProgress({ v: 1, partition, offset, at, expungedAt: expungedAt.getTime() }),
        },
        this.settings.timeoutMs,
      ),
    );
    if ((await Promise.allSettled(told)).every(({ status }) => status === 'fulfilled')) return;
    const detail =
      'The payload is out of the database, and the log does not know of it yet: a database that is rebuilt would have it again. Ask once more.';
    throw new ProblemError(503, 'kafka-unavailable', 'Kafka does not answer at the moment', { detail }, RETRY);
  }
}

const RETRY = { 'retry-after': '5' };
