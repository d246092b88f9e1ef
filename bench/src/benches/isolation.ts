import { setTimeout as pause } from 'node:timers/promises';
import { defineBench, type Finding, type Say } from '../bench.js';
import { brokers, whole, type Values } from '../flags.js';
import { Publishers, remarkOn, type Plan, type Sent } from '../load/publishers.js';
import { BAD } from '../receiver/behaviours.js';
import { ReceiverProcess } from '../receiver/receiver-process.js';
import { atMost, ratio } from '../report/aim.js';
import { latencyOf, waysOf, type Latency } from '../report/latency.js';
import { faultsOf, reconcile, type Reconciled } from '../report/reconcile.js';
import { Stage, type Tenant } from '../stage/stage.js';

const AIM_RATIO = 1.2;
const CONNECTIONS = 64;
const PATIENCE_MS = 60_000;
const HISTORY_MS = 60_000;
const SETTLE_MS = 60_000;
const IN_FLIGHT = 'hookline_attempts_in_flight';

const flags = {
  subscriptions: whole(300, 'each with a path and an event type of its own', 10),
  bad: whole(30, 'how many of a hundred are bad in every second phase'),
  rate: whole(200, 'events a second, over all of them'),
  seconds: whole(40, 'of each phase'),
  warmup: whole(60, 'load before the measurement, s; then as long again with bad ones of its own'),
  rounds: whole(2, 'phases with bad ones; there is one more without, for they take turns'),
  workers: whole(1, 'delivery workers'),
  brokers: brokers(),
};
type Options = Values<typeof flags>;

/** What hanging, resetting, dripping and failing endpoints do to the others. */
export const isolation = defineBench({
  name: 'isolation',
  about: 'latency of healthy endpoints while others hang, reset, drip or fail, against a run without these',
  flags,
  run,
});

/** The subscriptions that stand in for the bad ones of one phase. */
interface BadSet {
  ids: string[];
  /** By the number of the subscription that each stands in for. */
  types: Map<number, string>;
}

interface Scene {
  options: Options;
  stage: Stage;
  tenant: Tenant;
  publishers: Publishers;
  healthy: ReceiverProcess;
  bad: ReceiverProcess;
}

interface Phase extends Latency, Reconciled {
  name: string;
  refused: Record<number, number>;
  /** Publish → arrival at those that are healthy in every phase. */
  ways: number[];
  /** Of the bad ones' events, by how they are bad and by state; those that have no state are lost. */
  badStates: Record<string, number>;
  badRequests: number;
  badLost: number;
}

async function run(options: Options, say: Say): Promise<Finding> {
  await using stage = await Stage.open(options.brokers, say);
  using healthy = await ReceiverProcess.start();
  using bad = await ReceiverProcess.start();
  const tenant = await stage.tenant('bench');
  say('making the subscriptions');
  for (let i = 0; i < options.subscriptions; i += 1)
    await tenant.api.subscribe({ url: `${healthy.url}endpoint/${i}`, types: [healthyType(i)] });
  const warmUpSet = await makeBad(tenant, bad.url, options, 'warmup');
  const badSets: BadSet[] = [];
  for (let round = 0; round < options.rounds; round += 1)
    badSets.push(await makeBad(tenant, bad.url, options, `round${round}`));
  await stage.database.untilPublished();
  await Promise.all([stage.start('recorder'), ...workers(options).map((as) => stage.start('delivery', { as }))]);

  const publishers = new Publishers(stage.url('ingest'), tenant.apiKey, CONNECTIONS);
  await publishers.untilKnown();
  const scene = { options, stage, tenant, publishers, healthy, bad };
  await warmUp(scene, warmUpSet, say);
  await healthy.untilQuiet();
  await healthy.report();
  const phases: Phase[] = [await phase(scene, undefined, say)];
  for (const set of badSets) phases.push(await phase(scene, set, say), await phase(scene, undefined, say));
  publishers.close();
  return describe(options, stage.database.version, phases);
}

function workers({ workers: count }: Options): string[] {
  return Array.from({ length: count }, (_, i) => `delivery-${i + 1}`);
}

/**
 * Also the code that failing endpoints run, which a worker runs all day and would otherwise run for the first time while
 * it is measured. Its bad ones are others than those of any phase, which each worker has to learn of anew.
 */
async function warmUp(scene: Scene, set: BadSet, say: Say): Promise<void> {
  const { options, publishers } = scene;
  say(`warming up for ${options.warmup} s, and as long again with bad ones`);
  await publishers.openLoop(options.rate, options.warmup, planOf(options, undefined));
  await publishers.openLoop(options.rate, options.warmup, planOf(options, set));
  await settle(scene, set);
}

async function makeBad({ api }: Tenant, url: string, options: Options, round: string): Promise<BadSet> {
  const set: BadSet = { ids: [], types: new Map() };
  for (let i = 0; i < options.subscriptions; i += 1) {
    if (!isBad(i, options)) continue;
    const behaviour = BAD[set.ids.length % BAD.length] as string;
    const type = `isolation.${behaviour}.${round}.n${i}`;
    const { id } = await api.subscribe({ url: `${url}${behaviour}/${round}/${i}`, types: [type] });
    set.ids.push(id);
    set.types.set(i, type);
  }
  return set;
}

/** Spread evenly, so that the load on the others is steady. */
function isBad(i: number, { bad }: Options): boolean {
  return Math.floor(((i + 1) * bad) / 100) > Math.floor((i * bad) / 100);
}

function healthyType(i: number): string {
  return `isolation.healthy.n${i}`;
}

function planOf({ subscriptions }: Options, set: BadSet | undefined): Plan {
  return (n) => {
    const i = n % subscriptions;
    return { type: set?.types.get(i) ?? healthyType(i) };
  };
}

async function phase(scene: Scene, set: BadSet | undefined, say: Say): Promise<Phase> {
  const { options, publishers, healthy, bad } = scene;
  const { rate, seconds } = options;
  const name = set === undefined ? 'all healthy' : `${options.bad} % bad`;
  say(`${rate} events a second for ${seconds} s, ${name}`);
  await bad.report();
  const { sent, refused } = await publishers.openLoop(rate, seconds, planOf(options, set));
  const badTypes = new Set(set?.types.values());
  const toHealthy = sent.filter(({ type }) => !badTypes.has(type));
  await healthy.untilCame(toHealthy.length, PATIENCE_MS);
  const report = await healthy.report();
  const always = new Set(
    Array.from({ length: options.subscriptions }, (_, i) => i).flatMap((i) =>
      isBad(i, options) ? [] : [healthyType(i)],
    ),
  );
  const ways = waysOf(
    sent.filter(({ type }) => always.has(type)),
    report,
  );
  const badOnes = sent.filter(({ type }) => badTypes.has(type));
  const badStates = set === undefined ? {} : await badStatesOf(scene, set, badOnes);
  const badRequests = (await bad.report()).requests;
  if (set !== undefined) {
    say('taking the bad ones away, and waiting until nothing of them is in flight');
    await settle(scene, set);
  }
  const recorded = Object.values(badStates).reduce((sum, count) => sum + count, 0);
  return {
    name,
    refused,
    ways,
    ...latencyOf(ways),
    ...reconcile(toHealthy, report),
    badStates,
    badRequests,
    badLost: badOnes.length - recorded,
  };
}

/** What the history says of each event that a bad one should get. */
async function badStatesOf({ stage }: Scene, { ids }: BadSet, sent: readonly Sent[]): Promise<Record<string, number>> {
  const end = Date.now() + HISTORY_MS;
  let states = await stage.database.statesOf(ids);
  while (Date.now() < end && sent.some(({ id }) => !states.has(id))) {
    await pause(500);
    states = await stage.database.statesOf(ids);
  }
  const counted: Record<string, number> = {};
  for (const { id, type } of sent) {
    const state = states.get(id);
    if (state === undefined) continue;
    const what = `${type.split('.', 2)[1]} ${state}`;
    counted[what] = (counted[what] ?? 0) + 1;
  }
  return counted;
}

async function settle({ stage, tenant, options }: Scene, { ids }: BadSet): Promise<void> {
  for (const id of ids) await tenant.api.admin('DELETE', `/v1/webhooks/subscriptions/${id}`);
  await stage.database.untilPublished();
  const end = Date.now() + SETTLE_MS;
  const inFlight = (): Promise<number[]> => Promise.all(workers(options).map((name) => stage.metric(name, IN_FLIGHT)));
  while (Date.now() < end && (await inFlight()).some((count) => count > 0)) await pause(500);
}

function describe(options: Options, postgres: string, phases: Phase[]): Finding {
  const pooled = (isOf: (phase: Phase) => boolean): Latency =>
    latencyOf(phases.filter((one) => isOf(one)).flatMap(({ ways }) => ways));
  const without = pooled(({ badRequests }) => badRequests === 0);
  const withBad = pooled(({ badRequests }) => badRequests > 0);
  const row = (name: string, { events, p50Ms, p99Ms, maxMs }: Latency): (string | number)[] => [
    name,
    events,
    p50Ms,
    p99Ms,
    maxMs,
  ];
  return {
    setting:
      `${options.brokers} broker(s), ${options.workers} delivery worker(s), every other role, PostgreSQL ${postgres}, publishers and ` +
      `receivers on this machine; 1 KB, ${options.rate} events a second to ${options.subscriptions} subscriptions, ` +
      `${options.warmup} s of warm-up and as long again with bad ones, which are others than those of the phases: each phase ` +
      `has bad ones that the worker has not met before. Latency is that of the endpoints that are healthy in every phase`,
    tables: [
      {
        head: ['publish → healthy endpoint', 'events', 'p50 ms', 'p99 ms', 'max ms', 'lost', 'repeated'],
        rows: [
          ...phases.map((one) => [...row(one.name, one), one.lost, one.repeated]),
          [...row('all phases without bad ones', without), '', ''],
          [...row('all phases with bad ones', withBad), '', ''],
        ],
      },
    ],
    notes: [
      ...phases.flatMap(({ refused }) => remarkOn(refused)),
      ...phases
        .filter(({ badRequests }) => badRequests > 0)
        .map(({ badRequests, badStates }) => {
          const states = Object.entries(badStates).map(([state, count]) => `${state} ${count}`);
          return `Events of the bad endpoints: ${states.join(', ') || 'none'}; attempts that reached one: ${badRequests}`;
        }),
    ],
    aims: [
      atMost('p99 of the healthy, with bad ones to without', ratio(withBad.p99Ms, without.p99Ms), AIM_RATIO),
      atMost('p50 of the healthy, with bad ones to without', ratio(withBad.p50Ms, without.p50Ms), AIM_RATIO),
    ],
    faults: phases.flatMap((one, i) => [
      ...faultsOf(`of phase ${i + 1} for healthy endpoints`, one),
      ...(one.badLost > 0 ? [`${one.badLost} events of phase ${i + 1} for bad endpoints are not in the history`] : []),
    ]),
    figures: { postgres, phases: phases.map(({ ways: _ways, ...one }) => one), without, withBad },
  };
}
