import { cpus } from 'node:os';
import { defineBench, type Finding, type Say } from '../bench.js';
import { brokers, whole, type Values } from '../flags.js';
import { DATA_BYTES } from '../load/event-json.js';
import { Publishers, remarkOn, type PublishedLoad } from '../load/publishers.js';
import { ReceiverProcess } from '../receiver/receiver-process.js';
import { atMost, ratio } from '../report/aim.js';
import { latencyOf, percentile, waysOf, type Latency } from '../report/latency.js';
import { busySeconds, sharedNow } from '../report/machine.js';
import { overtakenBy, paceOf } from '../report/overtaken.js';
import { faultsOf, reconcile, type Reconciled } from '../report/reconcile.js';
import { Stage } from '../stage/stage.js';

const TYPE = 'bench.event';
const CONNECTIONS = 32;
const PATIENCE_MS = 180_000;
/** What a request counts for in a turn besides its body, bytes: docs/decisions/0018. */
const REQUEST_BYTES = 1_024;
/** Turns of live work and of retries: what the wide one has put off comes back as these. */
const [LIVE, RETRY] = [16, 4];

const flags = {
  tenants: whole(9, 'that publish little'),
  rate: whole(1, 'events a second of each of them'),
  times: whole(100, 'how much more the wide one publishes'),
  concurrency: whole(4, "the worker's attempts in flight, so that it is what the tenants compete for"),
  answer: whole(50, 'what every endpoint takes to answer, ms'),
  quantum: whole(4_096, 'bytes that a tenant may send in its turn', 1_024),
  seconds: whole(90, 'of each phase'),
  warmup: whole(30, 'load before the measurement, s'),
  rounds: whole(1, 'phases with the wide one; there is one more without, for they take turns'),
  brokers: brokers(),
};
type Options = Values<typeof flags>;

/** What a tenant that publishes more than the worker can deliver costs the others. */
export const fairness = defineBench({
  name: 'fairness',
  about:
    "latency of nine tenants with and without a tenth that publishes a hundred times as much, above the worker's pace",
  flags,
  run,
});

interface Phase extends Reconciled {
  name: string;
  withWide: boolean;
  /** Of the tenants that publish little. */
  others: Latency;
  ways: number[];
  wide: Latency;
  /** Webhooks that arrived while each of the others' was on its way. */
  overtaken: number[];
  /** Deliveries a second while events were published. */
  pace: number;
  /** What of the machine was in use meanwhile, per cent of its cores. */
  busyPercent: number;
  refused: Record<number, number>;
}

interface Scene {
  options: Options;
  receiver: ReceiverProcess;
  others: Publishers[];
  wide: Publishers;
}

async function run(options: Options, say: Say): Promise<Finding> {
  await using stage = await Stage.open(options.brokers, say);
  using receiver = await ReceiverProcess.start();
  const keys: string[] = [];
  for (let i = 0; i <= options.tenants; i += 1) {
    const { apiKey, api } = await stage.tenant(`bench ${i}`);
    await api.subscribe({ url: `${receiver.url}wait/${options.answer}/${i}`, types: [TYPE] });
    keys.push(apiKey);
  }
  await stage.database.untilPublished();
  const env = {
    HOOKLINE_WORKER_CONCURRENCY: String(options.concurrency),
    HOOKLINE_TENANT_QUANTUM_BYTES: String(options.quantum),
    HOOKLINE_WEIGHT_LIVE: String(LIVE),
    HOOKLINE_WEIGHT_RETRY: String(RETRY),
  };
  await Promise.all([stage.start('recorder'), stage.start('delivery', { env })]);

  const publishers = keys.map((key) => new Publishers(stage.url('ingest'), key, CONNECTIONS));
  for (const one of publishers) await one.untilKnown();
  const [wide, ...others] = publishers as [Publishers, ...Publishers[]];
  const scene = { options, receiver, others, wide };
  say(`warming up for ${options.warmup} s`);
  await load(scene, options.warmup, false);
  await receiver.untilQuiet();
  await receiver.report();
  const phases = [await phase(scene, false, say)];
  for (let round = 0; round < options.rounds; round += 1)
    phases.push(await phase(scene, true, say), await phase(scene, false, say));
  for (const one of publishers) one.close();
  return describe(options, stage.database.version, phases);
}

/** @returns what the others published, and what the wide one did */
async function load(
  { options, others, wide }: Scene,
  seconds: number,
  withWide: boolean,
): Promise<{ others: PublishedLoad[]; wide: PublishedLoad }> {
  const plan = (): { type: string } => ({ type: TYPE });
  const [wideLoad, ...loads] = await Promise.all([
    wide.openLoop(withWide ? options.rate * options.times : 0, seconds, plan),
    ...others.map((one) => one.openLoop(options.rate, seconds, plan)),
  ]);
  return { others: loads, wide: wideLoad };
}

async function phase(scene: Scene, withWide: boolean, say: Say): Promise<Phase> {
  const { options, receiver } = scene;
  const name = withWide ? 'with the wide one' : 'without it';
  say(`${options.tenants} tenants with ${options.rate} events a second each for ${options.seconds} s, ${name}`);
  const [begin, busyBefore] = [sharedNow(), busySeconds()];
  const published = await load(scene, options.seconds, withWide);
  const [end, busyAfter] = [sharedNow(), busySeconds()];
  const ofOthers = published.others.flatMap(({ sent }) => sent);
  const all = [...ofOthers, ...published.wide.sent];
  if (withWide) say('waiting until the backlog of the wide one is delivered');
  await receiver.untilCame(all.length, PATIENCE_MS);
  const report = await receiver.report();
  const ways = waysOf(ofOthers, report);
  const refused: Record<number, number> = {};
  for (const part of [published.wide, ...published.others])
    for (const [status, count] of Object.entries(part.refused))
      refused[Number(status)] = (refused[Number(status)] ?? 0) + count;
  return {
    name,
    withWide,
    others: latencyOf(ways),
    ways,
    wide: latencyOf(waysOf(published.wide.sent, report)),
    overtaken: overtakenBy(ofOthers, report),
    pace: paceOf(report, begin, end),
    busyPercent: Math.round(((busyAfter - busyBefore) * 100_000) / (end - begin) / cpus().length),
    refused,
    ...reconcile(all, report),
  };
}

/**
 * The most deliveries until one of the others' is among them (docs/decisions/0018): a turn of the wide tenant, one of each of
 * the rest, for they publish too little to have a second one waiting, its own, and the retries among all these.
 */
function turnOf({ quantum, tenants }: Options): number {
  const ofWide = Math.floor(quantum / (DATA_BYTES + REQUEST_BYTES)) + 1;
  return Math.ceil(((ofWide + tenants) * (LIVE + RETRY)) / LIVE);
}

function describe(options: Options, postgres: string, phases: Phase[]): Finding {
  const pooled = (withWide: boolean): Latency =>
    latencyOf(phases.filter((one) => one.withWide === withWide).flatMap(({ ways }) => ways));
  const [without, withWide] = [pooled(false), pooled(true)];
  const turn = turnOf(options);
  const busy = phases.filter((one) => one.withWide);
  const pace = busy.reduce((sum, one) => sum + one.pace, 0) / busy.length;
  // No attempt is broken off: the first room is free after an answer.
  const boundMs = Math.ceil((turn * 1_000) / pace) + options.answer;
  const overtaken = busy.flatMap((one) => one.overtaken);
  const [usual, most] = [percentile(overtaken, 50), percentile(overtaken, 99)];
  // Those that arrive while it is still on its way through the log have not gone before it in any turn.
  const overtakenMost = turn + Math.ceil((without.p99Ms * pace) / 1_000);
  const capacity = Math.round((options.concurrency * 1_000) / options.answer);
  const offered = options.rate * (options.times + options.tenants);
  return {
    setting:
      `${options.brokers} broker(s), every role, PostgreSQL ${postgres}, publishers and receiver on this machine; 1 KB, ` +
      `endpoints that answer after ${options.answer} ms and a worker with ${options.concurrency} attempts in flight, which is at most ` +
      `${capacity} deliveries a second; ${offered} events a second are published with the wide tenant; ${options.warmup} s of warm-up`,
    tables: [
      {
        head: [
          "the others' publish → endpoint",
          'events',
          'p50 ms',
          'p99 ms',
          'max ms',
          'wide p50 / p99 ms',
          'lost',
          'repeated',
        ],
        rows: phases.map(({ name, others, wide, withWide: has, lost, repeated }) => [
          name,
          others.events,
          others.p50Ms,
          others.p99Ms,
          others.maxMs,
          has ? `${wide.p50Ms} / ${wide.p99Ms}` : '',
          lost,
          repeated,
        ]),
      },
    ],
    notes: [
      ...phases.flatMap(({ refused }) => remarkOn(refused)),
      `The others' p99 with the wide tenant is ${ratio(withWide.p99Ms, without.p99Ms)} of that without it.`,
      `Stated bound: a turn of ${options.quantum} bytes, one event of each other tenant, ${RETRY} retries to ${LIVE} of these, ` +
        `which are ${turn} deliveries; at the measured pace of ${Math.round(pace)} a second, and with an answer, ${boundMs} ms more.`,
      `While one of the others was on its way, ${usual} webhooks arrived at p50, ${most} at p99, ${percentile(overtaken, 100)} at most.`,
      `The machine was in use to ${Math.max(...busy.map(({ busyPercent }) => busyPercent))} % while the wide one published: the nearer that is to all, the more ` +
        'of a time is its own.',
      ...(offered > capacity ? [] : ['THE WORKER COULD DELIVER ALL OF IT: nobody had to wait for a turn.']),
    ],
    aims: [
      atMost(
        "What the wide tenant adds to the others' p99, ms",
        Math.round(withWide.p99Ms - without.p99Ms),
        boundMs,
        ' ms',
      ),
      atMost("Webhooks that arrived during a way of the others, p99, to a turn and a way's", most, overtakenMost),
    ],
    faults: phases.flatMap((one, i) => faultsOf(`of phase ${i + 1}`, one)),
    figures: {
      postgres,
      phases: phases.map(({ ways: _ways, overtaken: _overtaken, ...one }) => one),
      without,
      withWide,
      turn,
      boundMs,
      overtaken: { usual, most },
    },
  };
}
