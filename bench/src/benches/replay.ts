import { setTimeout as pause } from 'node:timers/promises';
import { TOPICS } from '@hookline/contracts';
import { defineBench, type Finding, type Say } from '../bench.js';
import { brokers, whole, type Values } from '../flags.js';
import { publishBatches } from '../load/batches.js';
import { Publishers } from '../load/publishers.js';
import { ReceiverProcess } from '../receiver/receiver-process.js';
import { atLeast } from '../report/aim.js';
import { Stage, type Tenant } from '../stage/stage.js';

const AIM_PER_SECOND = 20_000;
/** What the recorder may need for each event, besides a minute. */
const RECORDED_MS_EACH = 1;
const MINUTE_MS = 60_000;
const LOOK_MS = 50;
const WANTED = 'replay.wanted';

const flags = {
  events: whole(200_000, 'events in the log'),
  wanted: whole(100, 'one in so many is of the type that is asked for'),
  brokers: brokers(),
};
type Options = Values<typeof flags>;

/** Reads the log for a subscription that is younger than all of it. */
export const replay = defineBench({
  name: 'replay',
  about: 'how fast a replay reads the log, and whether it hands over exactly what it selects',
  flags,
  run,
});

interface Replayed {
  name: string;
  scanned: number;
  sent: number;
  wouldSend: number;
  seconds: number;
  scannedPerSecond: number;
}

async function run(options: Options, say: Say): Promise<Finding> {
  await using stage = await Stage.open(options.brokers, say);
  using receiver = await ReceiverProcess.start();
  const tenant = await stage.tenant('bench');
  const publishers = new Publishers(stage.url('ingest'), tenant.apiKey, 1);
  await publishers.untilKnown();
  publishers.close();
  say(`publishing ${options.events} events`);
  await publishBatches(stage.url('ingest'), tenant.apiKey, options.events, (n) => ({
    type: n % options.wanted === 0 ? WANTED : 'replay.other',
  }));
  say('letting a worker decide and the recorder write it down');
  await stage.start('delivery');
  await stage.start('recorder');
  await stage.database.untilRouted(options.events, MINUTE_MS + options.events * RECORDED_MS_EACH);
  await tenant.api.subscribe({ url: receiver.url, types: [WANTED] });
  await stage.database.untilPublished();

  const wanted = Math.ceil(options.events / options.wanted);
  const runs: Replayed[] = [];
  for (const [name, request] of [
    ['dry run', { dryRun: true }],
    ['all', {}],
    ['undelivered', { outcome: 'undelivered', dryRun: true }],
  ] as const) {
    say(`replaying: ${name}`);
    runs.push(await replayed(tenant, name, request));
    if (name === 'all') await receiver.untilCame(wanted, MINUTE_MS + wanted);
  }
  return describe(options, wanted, runs, await receiver.count());
}

async function replayed({ api }: Tenant, name: string, request: object): Promise<Replayed> {
  const began = performance.now();
  const body = { topic: TOPICS.events, from: { timestamp: 0 }, ...request };
  const { id } = (await api.admin('POST', '/v1/replays', body)) as { id: string };
  for (;;) {
    const view = (await api.admin('GET', `/v1/replays/${id}`)) as {
      status: string;
      error: string | null;
      scanned: number;
      sent: number;
      dryRun: { wouldSend: number } | null;
    };
    if (view.status === 'failed') throw new Error(`the replay failed: ${view.error}`);
    if (view.status === 'completed') {
      const seconds = (performance.now() - began) / 1_000;
      const { scanned, sent } = view;
      const scannedPerSecond = Math.round(scanned / seconds);
      return { name, scanned, sent, wouldSend: view.dryRun?.wouldSend ?? 0, seconds, scannedPerSecond };
    }
    await pause(LOOK_MS);
  }
}

function describe(options: Options, wanted: number, runs: Replayed[], came: number): Finding {
  const all = runs.find(({ name }) => name === 'all') as Replayed;
  return {
    setting:
      `${options.brokers} broker(s), PostgreSQL, ingest, one delivery worker, the recorder and admin-api; ` +
      `1 KB, one event in ${options.wanted} is selected, for one subscription that is younger than all of them`,
    tables: [
      {
        head: ['replay', 'scanned', 'scanned/s', 'seconds', 'sent', 'would send'],
        rows: runs.map((row) => [
          row.name,
          row.scanned,
          row.scannedPerSecond,
          row.seconds.toFixed(1),
          row.sent,
          row.wouldSend,
        ]),
      },
    ],
    notes: ['Scanned a second includes the time until the replay is begun, and until its end is seen.'],
    aims: [atLeast('Events that a replay scans a second', all.scannedPerSecond, AIM_PER_SECOND)],
    faults: [
      ...(all.sent === wanted ? [] : [`${all.sent} were handed over of ${wanted} that were selected`]),
      ...(came === wanted ? [] : [`${came} came of ${wanted} that were handed over`]),
    ],
    figures: { runs, wanted, came },
  };
}
