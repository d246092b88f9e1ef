import { defineBench, type Finding, type Say } from '../bench.js';
import { brokers, whole, type Values } from '../flags.js';
import { drainBacklog, type BacklogDrain } from '../load/backlog-drain.js';
import { Publishers } from '../load/publishers.js';
import { ReceiverProcess } from '../receiver/receiver-process.js';
import { atLeast, atMost, ratio } from '../report/aim.js';
import { presentCpu } from '../report/cpu-meter.js';
import { faultsOf } from '../report/reconcile.js';
import { Stage, type Tenant } from '../stage/stage.js';

const AIM_PER_SECOND = 10_000;
const AIM_RATIO = 1.1;
/** What the recorder may need for each event of a backlog, besides a minute. */
const RECORDED_MS_EACH = 1;
const MINUTE_MS = 60_000;

const flags = {
  backlog: whole(200_000, 'events of the large backlog'),
  small: whole(10_000, 'events of the small ones, before and after it'),
  warmup: whole(20_000, 'events in front of each, while code is compiled: their cost does not count', 0),
  subscriptions: whole(20, 'that the events are for, one each'),
  brokers: brokers(),
};
type Options = Values<typeof flags>;

/** One worker brings a backlog out of the log, and a delivery costs the same however long the backlog is. */
export const drain = defineBench({
  name: 'drain',
  about: 'how fast one worker delivers a backlog, and what a delivery costs out of a small and a large one',
  flags,
  run,
});

type Run = Omit<BacklogDrain, 'ids'> & { name: string };

async function run(options: Options, say: Say): Promise<Finding> {
  await using stage = await Stage.open(options.brokers, say);
  using receiver = await ReceiverProcess.start();
  const tenant = await stage.tenant('bench');
  const types = Array.from({ length: options.subscriptions }, (_, i) => `drain.type${i}`);
  for (const type of types) await tenant.api.subscribe({ url: receiver.url, types: [type] });
  await stage.database.untilPublished();
  await untilKnown(stage, tenant);
  const acknowledged = new Set<string>();
  const runs: Run[] = [];
  for (const events of [options.small, options.backlog, options.small]) {
    const { ids, ...figures } = await drainBacklog(
      stage,
      receiver,
      tenant,
      { ...options, window: options.small, events, types },
      say,
    );
    for (const id of ids) acknowledged.add(id);
    runs.push({ name: `${events.toLocaleString('en')} + ${options.warmup.toLocaleString('en')}`, ...figures });
  }
  say('starting the recorder, and comparing with what it writes');
  await stage.start('recorder');
  const deadlineMs = MINUTE_MS + acknowledged.size * RECORDED_MS_EACH;
  const notRecorded = (await stage.database.undelivered(tenant.id, acknowledged, deadlineMs)).length;
  return describe(options, runs, notRecorded);
}

async function untilKnown(stage: Stage, { apiKey }: Tenant): Promise<void> {
  const publishers = new Publishers(stage.url('ingest'), apiKey, 1);
  await publishers.untilKnown();
  publishers.close();
}

function describe(options: Options, runs: Run[], notRecorded: number): Finding {
  const [before, large, after] = runs as [Run, Run, Run];
  const small = (before.windowMicros + after.windowMicros) / 2;
  return {
    setting:
      `${options.brokers} broker(s), one delivery worker, receiver, and nothing to do for ingest, admin-api and PostgreSQL; ` +
      `the recorder was off until all was delivered. 1 KB, ${options.subscriptions} subscriptions, one for each event`,
    tables: [
      {
        head: [
          'backlog + warm-up',
          'deliveries/s',
          `worker CPU µs, first ${options.small}`,
          'all after warm-up',
          'published/s',
          'memory MiB',
          'lost',
          'repeated',
        ],
        rows: runs.map((row) => [
          row.name,
          row.deliveriesPerSecond,
          row.windowMicros,
          row.cpuMicros.delivery ?? '',
          row.publishedPerSecond,
          row.memoryPeakMiB,
          row.lost,
          row.repeated,
        ]),
      },
    ],
    notes: [
      ...runs.map(({ name, cpuMicros }) => `CPU for each delivery, µs: ${name}: ${presentCpu(cpuMicros)}`),
      `Acknowledged and not recorded: ${notRecorded}`,
    ],
    aims: [
      atLeast('Deliveries a second out of the large backlog', large.deliveriesPerSecond, AIM_PER_SECOND),
      atMost(
        `Cost of the first ${options.small} deliveries after the warm-up, large backlog to small`,
        ratio(large.windowMicros, small),
        AIM_RATIO,
      ),
    ],
    faults: [
      ...runs.flatMap((row) => faultsOf(`of the backlog ${row.name}`, row)),
      ...(notRecorded > 0 ? [`${notRecorded} events are not in the history as delivered`] : []),
    ],
    figures: { runs, notRecorded },
  };
}
