import type { EventEnvelope, LogPosition } from '@hookline/contracts';
import { matchesType } from '@hookline/domain';
import type { Queryable } from '@hookline/persistence';
import type { Database } from '../database/database.js';
import type { Decisions } from './decisions.js';
import type { ReplayJob } from './replay-job.js';
import { loadSubscriptions, ReplayMatcher } from './replay-matcher.js';

/** An event that a replay has read, of its tenant. */
export interface ReadEvent {
  event: EventEnvelope;
  position: LogPosition;
}

/** Whom a replay brings what it reads. */
export interface Recipients {
  /** It goes by what history knows of the events: whether they are repeats is decided then. */
  readonly byHistory: boolean;
  /**
   * By offset, the ids of those that get the event; an event that is not in the answer is left out, for nobody knows.
   * @param events of one partition, in order
   */
  of(events: readonly ReadEvent[], signal: AbortSignal): Promise<ReadonlyMap<number, readonly string[]>>;
}

/** For one run. */
export async function openRecipients(database: Database, job: ReplayJob, decisions: Decisions): Promise<Recipients> {
  const subscriptions = await loadSubscriptions(database, job);
  if (job.to === 'matching') {
    const matching = new MatchingNow(new ReplayMatcher(subscriptions, job.types));
    const [its] = subscriptions;
    return job.kind === 'catch-up' && its ? new MatchingOrUnended(matching, database, its.id) : matching;
  }
  const enabled = new Set(subscriptions.map(({ id }) => id));
  return job.to === 'chosen'
    ? new ChosenRecipients(database, job.id, enabled)
    : new OriginalRecipients({ database, decisions, enabled }, job.types);
}

/** Those that match now. */
class MatchingNow implements Recipients {
  readonly byHistory = false;

  constructor(private readonly matcher: ReplayMatcher) {}

  async of(events: readonly ReadEvent[]): Promise<ReadonlyMap<number, readonly string[]>> {
    return new Map(events.map(({ event, position }) => [position.offset, this.matcher.match(event)]));
  }
}

/**
 * Whom a catch-up brings: its subscription, what it takes now and what it has neither got nor given up, whatever it takes
 * now. For what the lanes have of that is superseded, and nobody else would end it.
 */
class MatchingOrUnended implements Recipients {
  readonly byHistory = false;

  constructor(
    private readonly matching: MatchingNow,
    private readonly database: Queryable,
    private readonly subscriptionId: string,
  ) {}

  async of(events: readonly ReadEvent[]): Promise<ReadonlyMap<number, readonly string[]>> {
    const found = new Map(await this.matching.of(events));
    const [first, last] = [events[0], events.at(-1)];
    if (first === undefined || last === undefined) return found;
    const times = events.map(({ position }) => position.at);
    const rows = await this.database.query<{ event_offset: string }[]>(UNENDED, [
      this.subscriptionId,
      first.position.partition,
      first.position.offset,
      last.position.offset,
      new Date(times.reduce((a, b) => Math.min(a, b))),
      new Date(times.reduce((a, b) => Math.max(a, b))),
    ]);
    for (const { event_offset } of rows)
      if (found.has(Number(event_offset))) found.set(Number(event_offset), [this.subscriptionId]);
    return found;
  }
}

const UNENDED = `
  SELECT event_offset FROM deliveries
   WHERE subscription_id = $1 AND event_partition = $2 AND event_offset BETWEEN $3 AND $4 AND event_at BETWEEN $5 AND $6
     AND state <> 'delivered' AND state IN ('pending', 'retrying', 'held')`;

interface OriginalParts {
  database: Queryable;
  decisions: Pick<Decisions, 'among'>;
  /** Those that take anything now. */
  enabled: ReadonlySet<string>;
}

/**
 * Those that the event was for when it came, whatever they match now: which the workers said, and which got it later because
 * they were held, or because a worker had heard of them late.
 */
class OriginalRecipients implements Recipients {
  readonly byHistory = true;

  constructor(
    private readonly parts: OriginalParts,
    private readonly types: ReplayJob['types'],
  ) {}

  async of(events: readonly ReadEvent[], signal: AbortSignal): Promise<ReadonlyMap<number, readonly string[]>> {
    const { database, decisions, enabled } = this.parts;
    const wanted = events.filter(
      ({ event }) => this.types?.some((pattern) => matchesType(pattern, event.type)) ?? true,
    );
    const positions = wanted.map(({ position }) => position);
    const decided = await decisions.among(positions, signal);
    const later = await addedLater(database, positions);
    const found = new Map<number, readonly string[]>(events.map(({ position }) => [position.offset, []]));
    for (const { offset } of positions) {
      const known = decided.get(offset);
      const ids = new Set([...(known?.matched ?? []), ...(later.get(offset) ?? [])]);
      if (known === undefined && ids.size === 0) found.delete(offset);
      else found.set(offset, [...ids].filter((id) => enabled.has(id)).sort());
    }
    return found;
  }
}

/** Deliveries that no one has asked for by a replay of his own. */
async function addedLater(database: Queryable, positions: readonly LogPosition[]): Promise<Map<number, string[]>> {
  const [first, last] = [positions[0], positions.at(-1)];
  const found = new Map<number, string[]>();
  if (first === undefined || last === undefined) return found;
  const times = positions.map(({ at }) => at);
  const rows = await database.query<{ event_offset: string; subscription_id: string }[]>(ADDED_LATER, [
    first.partition,
    first.offset,
    last.offset,
    new Date(times.reduce((a, b) => Math.min(a, b))),
    new Date(times.reduce((a, b) => Math.max(a, b))),
  ]);
  for (const { event_offset, subscription_id } of rows)
    found.set(Number(event_offset), [...(found.get(Number(event_offset)) ?? []), subscription_id]);
  return found;
}

const ADDED_LATER = `
  SELECT d.event_offset, d.subscription_id FROM deliveries d LEFT JOIN replays r ON r.id = d.replay_id
   WHERE d.event_partition = $1 AND d.event_offset BETWEEN $2 AND $3 AND d.event_at BETWEEN $4 AND $5
     AND r.kind IS DISTINCT FROM 'replay'`;

/** The deliveries that were picked one by one when the replay was asked for. */
class ChosenRecipients implements Recipients {
  readonly byHistory = true;

  constructor(
    private readonly database: Queryable,
    private readonly replayId: string,
    private readonly enabled: ReadonlySet<string>,
  ) {}

  async of(events: readonly ReadEvent[]): Promise<ReadonlyMap<number, readonly string[]>> {
    const [first, last] = [events[0], events.at(-1)];
    const found = new Map<number, string[]>(events.map(({ position }) => [position.offset, []]));
    if (first === undefined || last === undefined) return found;
    const rows = await this.database.query<{ event_offset: string; subscription_id: string }[]>(
      `SELECT event_offset, subscription_id FROM replay_choices
        WHERE replay_id = $1 AND event_partition = $2 AND event_offset BETWEEN $3 AND $4 ORDER BY 1, 2`,
      [this.replayId, first.position.partition, first.position.offset, last.position.offset],
    );
    for (const { event_offset, subscription_id } of rows)
      if (this.enabled.has(subscription_id)) found.get(Number(event_offset))?.push(subscription_id);
    return found;
  }
}
