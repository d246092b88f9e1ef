import { createInterface } from 'node:readline/promises';
import {
  adminSection,
  deliverySection,
  kafkaSection,
  loadConfig,
  loggingSection,
  pumpSection,
  topicsSection,
} from '@hookline/config';
import { EVENTS_GROUP, LANES_GROUP, TOPICS, type SubscriptionRecord } from '@hookline/contracts';
import { assertCluster, createKafka, ProducerPump, type OffsetRange } from '@hookline/kafka';
import { createLogger, Refusal, systemClock, type Clock, type Logger } from '@hookline/platform';
import type { Kafka } from 'kafkajs';
import { RECORDER_GROUP } from '../../../recorder/src/recorder.js';
import { UsageError } from '../cli/usage-error.js';
import { Matching } from '../reconcile/matching.js';
import { missingOf, type Missing } from '../reconcile/missing.js';
import { Progress } from '../reconcile/progress.js';
import { resolveRange, type Boundary } from '../reconcile/range.js';
import { Reconciler } from '../reconcile/reconciler.js';
import { Repair } from '../reconcile/repair.js';
import { inJson, inWords, type Report } from '../reconcile/report.js';
import { SourceLog } from '../reconcile/source-log.js';
import { forgottenOf, summarize } from '../reconcile/summary.js';
import { readCompacted } from './compacted-topic.js';
import { isAmong, readExpunged } from './expunged-events.js';
import { isPassing } from './once-led.js';
import { PatientAdmin } from './patient-admin.js';

const sections = {
  kafka: kafkaSection,
  pump: pumpSection,
  topics: topicsSection,
  delivery: deliverySection,
  admin: adminSection,
  logging: loggingSection,
};

export interface ReconcileOptions {
  from?: Boundary | undefined;
  to?: Boundary | undefined;
  subscription?: string | undefined;
  tenant?: string | undefined;
  json?: boolean | undefined;
  repair?: boolean | undefined;
  /** Repairs without a question. */
  yes?: boolean | undefined;
  /** So many of the missing are listed at most. */
  list: number;
  /** How long to wait for what was sent again, ms. */
  waitMs: number;
}

/** Where it says things, and whom it asks. */
export interface Surroundings {
  /** Resolves when it is out: the process ends right after. */
  say: (text: string) => Promise<void>;
  screen: { write: (text: string) => unknown; isTTY?: boolean };
  /** A question that wants a yes. */
  ask: (question: string) => Promise<boolean>;
  clock: Clock;
  logger?: Logger;
}

/** Offsets that one run takes at most: 340 MB, besides what their deliveries take. */
const MOST_OFFSETS = 20_000_000;
const DRAIN_MS = 30_000;

const TERMINAL: Surroundings = {
  say: (text) => new Promise((resolve) => void process.stdout.write(text, () => resolve())),
  screen: process.stderr,
  ask: askOnTerminal,
  clock: systemClock,
};

/**
 * Proves the end state of every event of a range, for each subscription that it is for, from Kafka alone.
 * @returns the exit code: 0 where every delivery has one state, 1 where some are missing
 * @throws UsageError, Refusal, ConfigError
 */
export async function reconcile(
  options: ReconcileOptions,
  env: NodeJS.ProcessEnv,
  around: Surroundings = TERMINAL,
): Promise<number> {
  const config = loadConfig(sections, env);
  const logger = around.logger ?? createLogger(config.logging, 'reconcile', process.stderr);
  const kafka = createKafka(config.kafka, { role: 'reconcile', logger });
  const admin = new PatientAdmin(kafka, around.clock, isPassing);
  try {
    const { clusterId } = await admin.ask((each) => each.describeCluster());
    assertCluster(clusterId, config.topics.clusterId, {});
    const pump = new ProducerPump(
      { kafka, clock: around.clock, logger },
      { ...config.pump, maxBufferedBytes: 67_108_864 },
    );
    const { viewStaleMs } = config.delivery;
    const run = new Run(options, around, {
      kafka,
      admin,
      pump,
      knownAfterMs: viewStaleMs + config.admin.knownMarginMs,
    });
    return await run.run();
  } finally {
    await admin.close();
  }
}

interface RunParts {
  kafka: Kafka;
  admin: PatientAdmin;
  pump: ProducerPump;
  knownAfterMs: number;
}

class Run {
  private readonly progress: Progress;
  private readonly log: SourceLog;
  private readonly matching: Matching;

  constructor(
    private readonly options: ReconcileOptions,
    private readonly around: Surroundings,
    private readonly parts: RunParts,
  ) {
    const { subscription, tenant } = options;
    this.progress = new Progress(around.screen, around.clock);
    this.log = new SourceLog(parts.kafka, parts.admin, this.progress);
    this.matching = new Matching(({ id, tenant: its }) => (subscription ?? id) === id && (tenant ?? its) === its);
  }

  async run(): Promise<number> {
    const { options, log, matching, around, parts } = this;
    if (!(await parts.admin.ask((admin) => admin.listTopics())).includes(TOPICS.events))
      throw new Refusal(`${TOPICS.events} is not there: hookline setup makes it. Look at KAFKA_BROKERS.`);
    const { ranges, gone } = await resolveRange(options.from, options.to, log.events);
    assertFits(ranges);
    matching.update(await this.subscriptions());
    this.assertAnyone();
    const events = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
    this.progress.say(
      `${events.toLocaleString('en')} offsets of ${TOPICS.events}, ${matching.subscriptions.length} subscriptions`,
    );
    const reconciler = new Reconciler(
      {
        log,
        matching,
        groups: { events: EVENTS_GROUP, lanes: LANES_GROUP, recorder: RECORDER_GROUP },
        subscriptions: () => this.subscriptions(),
        clock: around.clock,
        knownAfterMs: parts.knownAfterMs,
      },
      ranges,
    );
    const look = await reconciler.settle();
    const summary = summarize(reconciler.ledger, look);
    const { counts } = reconciler.ledger;
    const missing = summary.states.missing.total > 0 ? await this.listed(reconciler) : [];
    const forgotten = forgottenOf(matching, ranges);
    const report: Report = { ranges, gone, counts, summary, forgotten, missing, repair: undefined };
    if (options.repair === true && missing.length > 0 && (await this.isWanted(report)))
      await this.repair(reconciler, report);
    await around.say(options.json === true ? inJson(report) : inWords(report));
    return report.summary.states.missing.total === 0 ? 0 : 1;
  }

  /** Sends them again, and puts into the report what became of that. */
  private async repair(reconciler: Reconciler, report: Report): Promise<void> {
    const { parts, around, options } = this;
    const expunged = await parts.admin.ask((admin) => readExpunged(parts.kafka, admin));
    const repair = new Repair(reconciler, parts.pump, around.clock, isAmong(expunged));
    await parts.pump.start([TOPICS.deliveries, TOPICS.attempts, TOPICS.deadLetters]);
    try {
      const sent = await repair.send();
      this.progress.say(
        `${sent.deliveries.toLocaleString('en')} deliveries are in ${TOPICS.deliveries}; waiting for their end`,
      );
      const { look, repaired } = await repair.follow(sent, options.waitMs);
      report.repair = { sent, repaired };
      report.summary = summarize(reconciler.ledger, look);
    } finally {
      await parts.pump.stop({ drainMs: DRAIN_MS });
    }
  }

  private async isWanted({ summary }: Report): Promise<boolean> {
    const { total } = summary.states.missing;
    if (this.options.yes === true) return true;
    const isWanted = await this.around.ask(`Send ${total.toLocaleString('en')} deliveries again?`);
    if (!isWanted) this.progress.say('Nothing was sent. With --yes it is done without a question.');
    return isWanted;
  }

  private async listed(reconciler: Reconciler): Promise<Missing[]> {
    const listed: Missing[] = [];
    await reconciler.eachSought((record) => {
      for (const { missing } of missingOf(reconciler.ledger, record))
        if (listed.length < this.options.list) listed.push(missing);
    });
    return listed;
  }

  private async subscriptions() {
    const { kafka, admin } = this.parts;
    const read = await admin.ask((each) => readCompacted<SubscriptionRecord>(kafka, each, TOPICS.subscriptions));
    return read.records;
  }

  /** @throws UsageError */
  private assertAnyone(): void {
    const { subscription, tenant } = this.options;
    if (this.matching.subscriptions.length > 0 || (subscription === undefined && tenant === undefined)) return;
    const whom =
      subscription === undefined
        ? `tenant ${tenant}`
        : `subscription ${subscription}${tenant === undefined ? '' : ` of tenant ${tenant}`}`;
    throw new UsageError(`${TOPICS.subscriptions} knows no ${whom}.`);
  }
}

/** @throws UsageError */
function assertFits(ranges: readonly OffsetRange[]): void {
  const offsets = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  if (offsets > MOST_OFFSETS)
    throw new UsageError(
      `The range has ${offsets.toLocaleString('en')} offsets, and one run takes ${MOST_OFFSETS.toLocaleString('en')}: narrow it with --from and --to.`,
    );
}

async function askOnTerminal(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
