import { defineBench, type Finding, type Say } from '../bench.js';
import { brokers, whole, type Values } from '../flags.js';
import { Publishers, remarkOn, type Plan, type PublishedLoad } from '../load/publishers.js';
import { ReceiverProcess } from '../receiver/receiver-process.js';
import { CpuMeter, microsEach, presentCpu, type CpuTimes } from '../report/cpu-meter.js';
import { latencyOf, percentile, waysOf, type Latency } from '../report/latency.js';
import { reconcile, type Reconciled } from '../report/reconcile.js';
import { Stage } from '../stage/stage.js';

const SUBSCRIPTIONS = 20;
const PATIENCE_MS = 180_000;
const TYPE = 'bench.event';

const flags = {
  warmup: whole(60, 'load before the measurement, s: brokers are slow in their first minute'),
  seconds: whole(60, 'of each closed loop'),
  publishers: whole(64, 'concurrent publishers, each waiting for its answer'),
  rate: whole(200, 'events a second while latency is measured'),
  latencySeconds: whole(30, 'how long it is measured'),
  brokers: brokers(),
};
type Options = Values<typeof flags>;

/** An event's whole way, measured: HTTP → three copies → match → signed webhook → PostgreSQL. */
export const spine = defineBench({
  name: 'spine',
  about: 'throughput and latency from publisher to endpoint, and that every event is received and recorded',
  flags,
  run,
});

interface Throughput extends Reconciled {
  name: string;
  published: number;
  publishedPerSecond: number;
  /** From the first publish to the last webhook. */
  endToEndPerSecond: number;
  publishP50Ms: number;
  publishP99Ms: number;
  refused: Record<number, number>;
  /** For each event, µs. */
  cpuMicros: CpuTimes;
}

type Steady = Latency & Reconciled & { rate: number; published: number };

/** How events are named: not at all, or each with an id and an ordering key of its own. */
const LOADS: readonly { name: string; plan: Plan }[] = [
  { name: 'events without id or key', plan: () => ({ type: TYPE }) },
  {
    name: 'each event with an id and a key of its own',
    plan: (n) => ({ type: TYPE, id: `run-${n}`, key: `customer-${n}` }),
  },
];
const UNNAMED = (LOADS[0] as (typeof LOADS)[number]).plan;

async function run(options: Options, say: Say): Promise<Finding> {
  await using stage = await Stage.open(options.brokers, say);
  using receiver = await ReceiverProcess.start();
  say('starting the other roles');
  const tenant = await stage.tenant('bench');
  await tenant.api.subscribe({ url: receiver.url, types: [TYPE] });
  for (let i = 1; i < SUBSCRIPTIONS; i += 1) await tenant.api.subscribe({ url: receiver.url, types: [`other${i}.*`] });
  await stage.database.untilPublished();
  await Promise.all([stage.start('delivery'), stage.start('recorder')]);

  const publishers = new Publishers(stage.url('ingest'), tenant.apiKey, options.publishers);
  await publishers.untilKnown();
  const acknowledged = new Set<string>();
  const keep = ({ sent }: PublishedLoad): void => sent.forEach(({ id }) => acknowledged.add(id));
  say(`warming up for ${options.warmup} s`);
  keep(await publishers.closedLoop(options.publishers, options.warmup, UNNAMED));
  await receiver.untilQuiet();
  await receiver.report();
  const throughput: Throughput[] = [];
  for (const { name, plan } of LOADS) {
    say(`${options.publishers} publishers for ${options.seconds} s, ${name}`);
    throughput.push(await closedLoop(stage, receiver, publishers, options, { name, plan }, keep));
  }
  say(`${options.rate} events a second for ${options.latencySeconds} s`);
  const latency = await steady(receiver, publishers, options, keep);
  publishers.close();
  say('comparing with what the recorder has written');
  const notRecorded = (await stage.database.undelivered(tenant.id, acknowledged, PATIENCE_MS)).length;
  return describe(options, stage.database.version, throughput, latency, notRecorded);
}

async function closedLoop(
  stage: Stage,
  receiver: ReceiverProcess,
  publishers: Publishers,
  { publishers: concurrency, seconds }: Options,
  { name, plan }: (typeof LOADS)[number],
  keep: (load: PublishedLoad) => void,
): Promise<Throughput> {
  const meter = await CpuMeter.start(stage, receiver);
  const load = await publishers.closedLoop(concurrency, seconds, plan);
  keep(load);
  await receiver.untilCame(load.sent.length, PATIENCE_MS);
  const cpu = await meter.read();
  const report = await receiver.report();
  const { sent, refused } = load;
  const begin = sent.reduce((first, event) => Math.min(first, event.begin), Infinity);
  const end = sent.reduce((last, event) => Math.max(last, event.end), 0);
  const lastCame = report.events.reduce((last, [, at]) => Math.max(last, at), begin);
  const waits = sent.map((event) => event.end - event.begin);
  return {
    name,
    published: sent.length,
    publishedPerSecond: Math.round((sent.length * 1_000) / (end - begin)),
    endToEndPerSecond: Math.round((sent.length * 1_000) / (lastCame - begin)),
    publishP50Ms: percentile(waits, 50),
    publishP99Ms: percentile(waits, 99),
    refused,
    ...reconcile(sent, report),
    cpuMicros: microsEach(cpu, sent.length),
  };
}

async function steady(
  receiver: ReceiverProcess,
  publishers: Publishers,
  { rate, latencySeconds }: Options,
  keep: (load: PublishedLoad) => void,
): Promise<Steady> {
  const load = await publishers.openLoop(rate, latencySeconds, UNNAMED);
  keep(load);
  await receiver.untilCame(load.sent.length, PATIENCE_MS);
  const report = await receiver.report();
  return {
    rate,
    published: load.sent.length,
    ...latencyOf(waysOf(load.sent, report)),
    ...reconcile(load.sent, report),
  };
}

function describe(
  options: Options,
  postgres: string,
  throughput: Throughput[],
  latency: Steady,
  notRecorded: number,
): Finding {
  const lost = [...throughput, latency].reduce((sum, part) => sum + part.lost, 0);
  return {
    setting:
      `${options.brokers} broker(s), every role, PostgreSQL ${postgres}, publishers and receiver on this machine; 1 KB, ` +
      `${options.publishers} publishers, ${SUBSCRIPTIONS} subscriptions of which one matches, ${options.warmup} s of warm-up`,
    tables: [
      {
        head: ['', 'events/s end to end', 'published/s', 'publish p50 / p99 ms', 'lost', 'repeated'],
        rows: throughput.map((row) => [
          row.name,
          row.endToEndPerSecond,
          row.publishedPerSecond,
          `${row.publishP50Ms} / ${row.publishP99Ms}`,
          row.lost,
          row.repeated,
        ]),
      },
    ],
    notes: [
      ...throughput.flatMap(({ refused }) => remarkOn(refused)),
      ...throughput.map(({ name, cpuMicros }) => `CPU for each event, µs: ${name}: ${presentCpu(cpuMicros)}`),
      `Publish → endpoint at ${latency.rate}/s: p50 ${latency.p50Ms} ms, p99 ${latency.p99Ms} ms, ` +
        `max ${latency.maxMs} ms (${latency.published} events, ${latency.lost} lost, ${latency.repeated} repeated)`,
      `Acknowledged and not recorded: ${notRecorded}`,
    ],
    aims: [],
    faults: [
      ...(lost > 0 ? [`${lost} events were acknowledged and never received`] : []),
      ...(notRecorded > 0 ? [`${notRecorded} events were acknowledged and are not in the history as delivered`] : []),
    ],
    figures: { postgres, throughput, latency, notRecorded },
  };
}
