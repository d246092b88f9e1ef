import { defineBench, type Finding, type Say } from '../bench.js';
import { brokers, whole, type Values } from '../flags.js';
import { drainBacklog, type BacklogDrain } from '../load/backlog-drain.js';
import { Publishers } from '../load/publishers.js';
import { ReceiverProcess } from '../receiver/receiver-process.js';
import { atMost, ratio } from '../report/aim.js';
import { presentCpu } from '../report/cpu-meter.js';
import { faultsOf } from '../report/reconcile.js';
import { forgetSubscriptions, seedSubscriptions } from '../stage/seed-subscriptions.js';
import { Stage } from '../stage/stage.js';

const AIM_RATIO = 1.1;
const AIM_MIB = 400;

const flags = {
  few: whole(10, 'subscriptions that the events are for, one each'),
  many: whole(100_000, 'subscriptions in all, in the run between the two with few'),
  events: whole(50_000, 'deliveries that are measured in each run'),
  warmup: whole(20_000, 'deliveries before them, while code is compiled', 0),
  heap: whole(
    512,
    "limit of the worker's heap, MiB: half of the chart's container, as Node has it there; 0: by the machine",
    0,
  ),
  brokers: brokers(),
};
type Options = Values<typeof flags>;

/** A delivery costs the same however many subscriptions there are, and a worker has room for all of them. */
export const subscriptions = defineBench({
  name: 'subscriptions',
  about: 'what a delivery costs, and what the worker holds in memory, with few and with many subscriptions',
  flags,
  run,
});

type Run = Omit<BacklogDrain, 'ids'> & { subscriptions: number };

async function run(options: Options, say: Say): Promise<Finding> {
  await using stage = await Stage.open(options.brokers, say);
  using receiver = await ReceiverProcess.start();
  const tenant = await stage.tenant('bench');
  const types = Array.from({ length: options.few }, (_, i) => `subscriptions.type${i}`);
  for (const type of types) await tenant.api.subscribe({ url: receiver.url, types: [type] });
  await stage.database.untilPublished();
  const publishers = new Publishers(stage.url('ingest'), tenant.apiKey, 1);
  await publishers.untilKnown();
  publishers.close();

  const measure = async (count: number, more: readonly string[] = []): Promise<Run> => {
    const all = { ...options, window: options.events, types: [...types, ...more] };
    const { ids: _ids, ...figures } = await drainBacklog(stage, receiver, tenant, all, say);
    return { subscriptions: count, ...figures };
  };
  const before = await measure(options.few);
  const others = Math.max(0, options.many - options.few);
  say(`writing ${others} subscriptions of others`);
  const seeded = await seedSubscriptions(stage, others, tenant.id, receiver.url);
  // Some of the events are for those: had the worker not read them, events would be missing.
  const many = await measure(options.few + others, seeded.ownTypes);
  say('taking them out again');
  await forgetSubscriptions(stage, seeded.ids);
  return describe(options, before, many, await measure(options.few));
}

function describe(options: Options, before: Run, many: Run, after: Run): Finding {
  const runs = [before, many, after];
  const few = (before.windowMicros + after.windowMicros) / 2;
  return {
    setting:
      `${options.brokers} broker(s), one delivery worker, receiver, and nothing to do for ingest, admin-api and PostgreSQL; ` +
      `no recorder; the worker's heap is limited ${options.heap > 0 ? `to ${options.heap} MiB` : 'by the machine'}. 1 KB, one subscription for each event; nearly all of the others are of other tenants and types`,
    tables: [
      {
        head: [
          'subscriptions',
          'worker CPU µs each',
          'deliveries/s',
          'ready after s',
          'memory peak / after MiB',
          'lost',
          'repeated',
        ],
        rows: runs.map((row) => [
          row.subscriptions.toLocaleString('en'),
          row.windowMicros,
          row.deliveriesPerSecond,
          Math.round(row.readyMs / 100) / 10,
          `${row.memoryPeakMiB} / ${row.memoryAfterMiB}`,
          row.lost,
          row.repeated,
        ]),
      },
    ],
    notes: runs.map(
      (row) => `CPU for each delivery, µs: ${row.subscriptions.toLocaleString('en')}: ${presentCpu(row.cpuMicros)}`,
    ),
    aims: [
      atMost('Cost of a delivery, many to few', ratio(many.windowMicros, few), AIM_RATIO),
      atMost('Resident memory of the worker with many', many.memoryPeakMiB, AIM_MIB, ' MiB'),
    ],
    faults: runs.flatMap((row) => faultsOf(`with ${row.subscriptions} subscriptions`, row)),
    figures: { runs },
  };
}
