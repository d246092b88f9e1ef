import type { AttemptOutcome, DeadLetterReason } from '@hookline/contracts';
import type { Verdict } from '@hookline/domain';
import type { RunnerObserver, RunnerStats } from '@hookline/kafka';
import type { Clock, Counter, Metrics } from '@hookline/platform';
import type { Hindrance } from './attempt/door.js';
import type { OwnersWords } from './attempt/owners-words.js';
import type { Rooms } from './attempt/rooms.js';
import type { EventIntake } from './intake/event-intake.js';
import type { OrderedLanes } from './ordering/ordered-lanes.js';

/** What the worker's state is read from when someone asks. */
export interface MetricRunners {
  events: { stats(): RunnerStats };
  lanes: { stats(): RunnerStats };
}

export interface MetricSources {
  rooms: Pick<Rooms, 'inFlight' | 'slowInFlight' | 'doorStates'>;
  words: Pick<OwnersWords, 'broken'>;
  ordered: Pick<OrderedLanes, 'outstanding'>;
  events: Pick<EventIntake, 'tenantsOverShare'>;
}

/** What is counted on an event's way. */
export class DeliveryMetrics {
  private readonly attempts: Counter<'outcome' | 'verdict'>;
  private readonly deferrals: Counter<'reason'>;
  private readonly handovers: Counter<'to'>;
  private readonly deadLetters: Counter<'reason'>;
  private readonly duplicates: Counter;
  private readonly agedOut: Counter<'topic'>;
  /** Counts what the runners report. */
  readonly runnerObserver: RunnerObserver = {
    agedOut: ({ topic, from, to }) => this.agedOut.inc({ topic }, to - from),
  };

  constructor(
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {
    this.attempts = metrics.counter('hookline_attempts_total', 'Attempts, by what they met and what that means.', [
      'outcome',
      'verdict',
    ]);
    this.deferrals = metrics.counter(
      'hookline_deferrals_total',
      'Deliveries put off without an attempt, by what there was in the way.',
      ['reason'],
    );
    this.handovers = metrics.counter('hookline_handovers_total', 'Deliveries handed over to a lane.', ['to']);
    this.deadLetters = metrics.counter('hookline_dead_letters_total', 'Dead letters written.', ['reason']);
    this.agedOut = metrics.counter(
      'hookline_aged_out_records_total',
      'Records that the log let go of before they were read.',
      ['topic'],
    );
    this.duplicates = metrics.counter('hookline_duplicates_total', 'Events that repeat the id of an earlier one.');
  }

  attempted({ status, error }: AttemptOutcome, verdict: Verdict): void {
    const outcome = status === undefined ? (error ?? 'other') : `${Math.floor(status / 100)}xx`;
    this.attempts.inc({ outcome, verdict });
  }

  deferred(reason: Hindrance | 'share'): void {
    this.deferrals.inc({ reason });
  }

  handedOver(to: 'deliveries' | 'retry', deliveries = 1): void {
    this.handovers.inc({ to }, deliveries);
  }

  deadLettered(reason: DeadLetterReason): void {
    this.deadLetters.inc({ reason });
  }

  duplicate(): void {
    this.duplicates.inc();
  }

  /** What is read, not counted. */
  watch({ events, lanes }: MetricRunners, { rooms, words, ordered, events: intake }: MetricSources): void {
    const oldest = 'hookline_oldest_undelivered_event_age_seconds';
    this.metrics.gauge(oldest, 'Age of the oldest event whose outcome is not durable yet; 0 if there is none.', {
      read: () => this.oldestAgeSeconds(events.stats()),
    });
    this.metrics.gauge('hookline_attempts_in_flight', 'Attempts in flight.', { read: () => rooms.inFlight });
    this.metrics.gauge('hookline_slow_attempts_in_flight', 'Attempts in flight that have become slow.', {
      read: () => rooms.slowInFlight,
    });
    const doors = 'hookline_endpoints_in_use';
    this.metrics.gauges(doors, 'Subscriptions that are sent to of late, by the state of their breakers.', 'state', () =>
      rooms.doorStates(),
    );
    this.metrics.gauge('hookline_broken_endpoints', 'Subscriptions whose owners say that their endpoints are broken.', {
      read: () => words.broken(this.clock.now()),
    });
    const outstanding = 'hookline_ordered_outstanding_events';
    this.metrics.gauge(outstanding, 'Events of ordered subscriptions that are not through, in lanes owned here.', {
      read: () => ordered.outstanding,
    });
    const over = 'hookline_tenants_over_share';
    this.metrics.gauge(over, 'Tenants that hold more than their share of the events while these are scarce.', {
      read: () => intake.tenantsOverShare,
    });
    this.metrics.gauges('hookline_backlog_records', 'Records whose outcome is not durable yet.', 'topic', () =>
      backlogs([events.stats(), lanes.stats()]),
    );
  }

  private oldestAgeSeconds({ partitions }: RunnerStats): number {
    const times = partitions.flatMap(({ oldestTimestamp }) => oldestTimestamp ?? []);
    return times.length === 0 ? 0 : Math.max(0, this.clock.now() - Math.min(...times)) / 1_000;
  }
}

function backlogs(stats: readonly RunnerStats[]): Map<string, number> {
  const byTopic = new Map<string, number>();
  for (const { topic, highWatermark, watermark } of stats.flatMap(({ partitions }) => partitions))
    byTopic.set(topic, (byTopic.get(topic) ?? 0) + Math.max(0, highWatermark - watermark));
  return byTopic;
}
