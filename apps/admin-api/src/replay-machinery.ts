import { topicPlan, type Output, type RangeReader } from '@hookline/kafka';
import {
  chosenRanges,
  DeliveryHistory,
  DeliveryStates,
  EventHistory,
  ExpungedPayloads,
  type Session,
} from '@hookline/persistence';
import type { Clock, Logger } from '@hookline/platform';
import { AgeOutKeeper } from './agedout/age-out-keeper.js';
import type { AgeOuts } from './agedout/age-outs.js';
import type { Database } from './database/database.js';
import { DeadLetterReader } from './deadletters/dead-letter-reader.js';
import type { FailureKeeper } from './keepers/failure-keeper.js';
import { Keepers } from './keepers/keepers.js';
import { Settlement } from './keepers/settlement.js';
import { SliceKeeper } from './keepers/slice-keeper.js';
import { HeldKeeper } from './keepers/held-keeper.js';
import { SpanKeeper } from './keepers/span-keeper.js';
import { VersionReader } from './keepers/version-reader.js';
import { couldComeBack, ExpungedKeeper } from './payloads/expunged-keeper.js';
import { CatchUpRanges } from './replays/catch-up-ranges.js';
import { ChosenReader } from './replays/chosen-reader.js';
import { Decisions } from './replays/decisions.js';
import { RatePace, UNBOUNDED, WindowPace, type Pace } from './replays/pace.js';
import type { ReplayJob } from './replays/replay-job.js';
import { openRecipients } from './replays/recipients.js';
import { ReplayRunner } from './replays/replay-runner.js';
import { ReplayScheduler } from './replays/replay-scheduler.js';
import { Selection } from './replays/selection.js';
import { subscribedNow } from './replays/subscribed.js';
import type { Settings } from './settings.js';
import type { LogOffsets } from './topics/log-offsets.js';

type MachinerySettings = Pick<Settings, 'admin' | 'delivery' | 'http' | 'topics'>;

export interface ReplayMachineryParts {
  database: Database;
  openSession: () => Promise<Session>;
  log: LogOffsets;
  reader: RangeReader;
  /** Reads little at a time, for those that hand over slowly. */
  slowReader: RangeReader;
  output: Output;
  ageOuts?: AgeOuts;
  failures?: FailureKeeper;
  clock: Clock;
  logger: Logger;
}

/** What reads the log again: replays, catch-ups, and the keepers of what is held. */
export class ReplayMachinery {
  private readonly scheduler: ReplayScheduler;
  private readonly keepers: Keepers;

  constructor(parts: ReplayMachineryParts, { admin, delivery, http, topics }: MachinerySettings) {
    const { openSession, logger, clock } = parts;
    this.scheduler = new ReplayScheduler(openSession, runnerOf(parts, { admin, delivery, http }), logger, {
      concurrency: admin.replayConcurrency,
      pollMs: admin.replayPollMs,
    });
    this.keepers = new Keepers({
      openSession,
      keepers: keepersOf(parts, { admin, delivery, http, topics }),
      clock,
      logger,
      pollMs: admin.keeperPollMs,
    });
  }

  start(): void {
    this.scheduler.start();
    this.keepers.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.scheduler.stop(), this.keepers.stop()]);
  }
}

function runnerOf(
  { database, log, reader, slowReader, output, clock, logger }: ReplayMachineryParts,
  { admin, delivery, http }: Pick<Settings, 'admin' | 'delivery' | 'http'>,
): ReplayRunner {
  const states = new DeliveryStates(database);
  const payloads = new ExpungedPayloads(database);
  const ranges = new CatchUpRanges({ database, log, states, clock, inHandMs: inHandMsOf({ delivery, http }) });
  const history = new DeliveryHistory(database);
  const underWay = async (job: ReplayJob): Promise<number> => {
    const known = await history.replayStates(job.id);
    return job.sent - known.delivered - known['dead-lettered'] - known.held;
  };
  const paceOf = (job: ReplayJob): Pace => {
    if (job.kind !== 'replay') return new WindowPace(() => underWay(job), Math.floor(delivery.subscriptionBacklog / 2));
    return job.rate === undefined ? UNBOUNDED : new RatePace(clock, job.rate);
  };
  return new ReplayRunner({
    readerFor: (job) => {
      const quick = job.kind === 'replay' && job.rate === undefined ? reader : slowReader;
      return job.to === 'chosen' ? new ChosenReader(quick, database, job.id) : quick;
    },
    resolve: async (job) => {
      if (job.kind !== 'replay') return ranges.resolve(job);
      // Whoever chose its deliveries was cut off: those are sent that were chosen by then.
      if (Object.keys(job.partitions).length === 0) job.partitions = await chosenRanges(database, job.id);
      return true;
    },
    openSelection: async (job) => {
      const decisions = new Decisions({ database, log, clock, logger, waitMs: admin.replayDecisionWaitMs });
      const recipients = await openRecipients(database, job, decisions);
      const spans = job.kind === 'replay' ? [] : await ranges.spansOf(job.id);
      return new Selection(job, { recipients, decisions, states, payloads, logger, spans });
    },
    paceOf,
    subscribedNow: (ids) => subscribedNow(database, ids),
    output,
    maxInFlightBytes: admin.replayInFlightBytes,
  });
}

/** What a worker has in hand has ended by then, or is told to have gone elsewhere; ms. */
function inHandMsOf({ delivery, http }: Pick<Settings, 'delivery' | 'http'>): number {
  return delivery.directWaitMs + delivery.attemptTimeoutMs + http.drainMs;
}

function keepersOf(
  { database, log, reader, output, ageOuts, failures, clock, logger }: ReplayMachineryParts,
  { admin, delivery, http, topics }: MachinerySettings,
): ConstructorParameters<typeof Keepers>[0]['keepers'] {
  const knownAfterMs = delivery.viewStaleMs + admin.knownMarginMs;
  const plan = topicPlan(topics, delivery.retryDelaysMs);
  const lanes = plan.flatMap(({ name, kind }) => (kind === 'lane' ? [name] : []));
  return [
    new VersionReader({ log, reader, logger, knownAfterMs }),
    new SpanKeeper(log, output),
    new HeldKeeper(log, output, clock),
    new Settlement(log, output),
    new SliceKeeper(
      {
        ...{ database, log, reader, output, clock, logger },
        states: new DeliveryStates(database),
        payloads: new ExpungedPayloads(database),
      },
      {
        slices: admin.sliceBatch,
        events: admin.sliceEvents,
        againMs: admin.keeperPollMs,
        silentMs: inHandMsOf({ delivery, http }),
        inFlightBytes: admin.replayInFlightBytes,
      },
    ),
    new ExpungedKeeper({ log, output, clock }, couldComeBack(plan, delivery.windowMs)),
    new DeadLetterReader({ log, reader, clock, logger, keptMs: topics.deadLettersRetentionMs }),
    ...(failures === undefined ? [] : [failures]),
    ...(ageOuts === undefined ? [] : [new AgeOutKeeper({ ageOuts, log, lanes, output, clock, logger })]),
  ];
}

/** What replays ask of history. */
export function replayHistory(database: Database): {
  events: EventHistory;
  deliveries: DeliveryHistory;
  states: DeliveryStates;
} {
  return {
    events: new EventHistory(database),
    deliveries: new DeliveryHistory(database),
    states: new DeliveryStates(database),
  };
}
