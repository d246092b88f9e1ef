import { setTimeout as pause } from 'node:timers/promises';
import { busySeconds, describeMachine, type Machine } from './machine.js';
import type { SpineOptions } from './options.js';
import { Publishers, type Naming, type PublishedLoad } from './publishers.js';
import { ReceiverProcess } from './receiver-process.js';
import { Recorded } from './recorded.js';
import { percentile, reconcile, type Reconciled } from './reconcile.js';
import { Stage } from './stage.js';

const SUBSCRIPTIONS = 20;
const DRAIN_MS = 180_000;

export interface ThroughputResult extends Reconciled {
  name: string;
  published: number;
  publishedPerSecond: number;
  /** From the first publish to the last webhook. */
  endToEndPerSecond: number;
  publishP50Ms: number;
  publishP99Ms: number;
  refused: Record<number, number>;
  /** CPU time for each event, µs, by part; `brokers, database, system` is what else the machine did. */
  cpuMicros: Record<string, number>;
}

export interface LatencyResult extends Reconciled {
  rate: number;
  published: number;
  /** From before the request to the webhook's arrival, ms. */
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export interface SpineResult {
  date: string;
  machine: Machine & { postgres: string };
  options: SpineOptions;
  throughput: ThroughputResult[];
  latency: LatencyResult;
  /** Events that were acknowledged and are not in PostgreSQL as delivered. */
  notRecorded: number;
  ok: boolean;
}

/** An event's whole way, measured: HTTP → three copies → match → signed webhook → PostgreSQL. */
export async function spine(options: SpineOptions, say: (line: string) => void): Promise<SpineResult> {
  const machine = await describeMachine();
  const receiver = await ReceiverProcess.start();
  const stage = await Stage.open(options.brokers, say).catch((error: unknown) => {
    receiver.stop();
    throw error;
  });
  try {
    return await measure(stage, receiver, machine, options, say);
  } finally {
    receiver.stop();
    await stage.close();
  }
}

async function measure(
  stage: Stage,
  receiver: ReceiverProcess,
  machine: Machine,
  options: SpineOptions,
  say: (line: string) => void,
): Promise<SpineResult> {
  const { tenantId, apiKey } = await stage.prepare(receiver.url, SUBSCRIPTIONS);
  const recorded = new Recorded(stage.databaseUrl, tenantId);
  const postgres = await recorded.open();
  const publishers = new Publishers(stage.url('ingest'), apiKey, 'run', options.publishers);
  const acknowledged = new Set<string>();
  const keep = ({ sent }: PublishedLoad): void => sent.forEach(({ id }) => acknowledged.add(id));
  try {
    await untilSubscribed(publishers, receiver);
    say(`warming up for ${options.warmupSeconds} s`);
    keep(await publishers.closedLoop(options.publishers, options.warmupSeconds, 'unnamed'));
    await untilQuiet(receiver);
    await receiver.report();
    const throughput: ThroughputResult[] = [];
    for (const naming of ['unnamed', 'distinct'] as const) {
      say(`${options.publishers} publishers for ${options.seconds} s, ${NAMES[naming]}`);
      throughput.push(await closedLoop(stage, receiver, publishers, options, naming, keep));
    }
    say(`${options.rate} events a second for ${options.latencySeconds} s`);
    const latency = await openLoop(receiver, publishers, options, keep);
    say('comparing with what the recorder has written');
    const notRecorded = (await recorded.missing(acknowledged, DRAIN_MS)).length;
    return {
      date: new Date().toISOString(),
      machine: { ...machine, postgres },
      options,
      throughput,
      latency,
      notRecorded,
      ok: notRecorded === 0 && [...throughput, latency].every(({ lost }) => lost === 0),
    };
  } finally {
    publishers.close();
    await recorded.close();
  }
}

const NAMES: Record<Naming, string> = {
  unnamed: 'events without id or key',
  distinct: 'each event with an id and a key of its own',
};

async function closedLoop(
  stage: Stage,
  receiver: ReceiverProcess,
  publishers: Publishers,
  { publishers: concurrency, seconds }: SpineOptions,
  naming: Naming,
  keep: (load: PublishedLoad) => void,
): Promise<ThroughputResult> {
  const cpuBefore = { ...(await stage.cpuSeconds()), publishers: process.cpuUsage(), all: busySeconds() };
  const receiverBefore = (await receiver.report()).cpuSeconds;
  const load = await publishers.closedLoop(concurrency, seconds, naming);
  keep(load);
  await untilCame(receiver, load.sent.length);
  const own = process.cpuUsage(cpuBefore.publishers);
  const all = busySeconds() - cpuBefore.all;
  const roles = await stage.cpuSeconds();
  const report = await receiver.report();
  const { sent } = load;
  const begin = sent.reduce((first, event) => Math.min(first, event.begin), Infinity);
  const end = sent.reduce((last, event) => Math.max(last, event.end), 0);
  const lastCame = report.events.reduce((last, [, at]) => Math.max(last, at), begin);
  const used: Record<string, number> = {
    publishers: (own.user + own.system) / 1e6,
    ingest: roles.ingest - cpuBefore.ingest,
    delivery: roles.delivery - cpuBefore.delivery,
    recorder: roles.recorder - cpuBefore.recorder,
    receiver: report.cpuSeconds - receiverBefore,
  };
  used['brokers, database, system'] = all - Object.values(used).reduce((sum, part) => sum + part, 0);
  const waits = sent.map((event) => event.end - event.begin);
  return {
    name: NAMES[naming],
    published: sent.length,
    publishedPerSecond: Math.round((sent.length * 1_000) / (end - begin)),
    endToEndPerSecond: Math.round((sent.length * 1_000) / (lastCame - begin)),
    publishP50Ms: percentile(waits, 50),
    publishP99Ms: percentile(waits, 99),
    refused: load.refused,
    ...reconcile(sent, report),
    cpuMicros: Object.fromEntries(
      Object.entries(used).map(([part, cpu]) => [part, Math.round((cpu * 1e6) / Math.max(1, sent.length))]),
    ),
  };
}

async function openLoop(
  receiver: ReceiverProcess,
  publishers: Publishers,
  { rate, latencySeconds }: SpineOptions,
  keep: (load: PublishedLoad) => void,
): Promise<LatencyResult> {
  const load = await publishers.openLoop(rate, latencySeconds);
  keep(load);
  await untilCame(receiver, load.sent.length);
  const report = await receiver.report();
  const came = new Map(report.events.map(([id, at]) => [id, at]));
  const ways = load.sent.flatMap(({ id, begin }) => {
    const at = came.get(id);
    return at === undefined ? [] : [at - begin];
  });
  return {
    rate,
    published: load.sent.length,
    p50Ms: percentile(ways, 50),
    p99Ms: percentile(ways, 99),
    maxMs: percentile(ways, 100),
    ...reconcile(load.sent, report),
  };
}

/** Workers hear of a new subscription, and ingest of a new key, within a second or so. */
async function untilSubscribed(publishers: Publishers, receiver: ReceiverProcess): Promise<void> {
  const end = Date.now() + DRAIN_MS;
  while ((await receiver.count()) === 0) {
    if (Date.now() > end) throw new Error('no webhook came');
    await publishers.closedLoop(1, 1, 'unnamed');
  }
}

async function untilCame(receiver: ReceiverProcess, events: number): Promise<void> {
  const end = Date.now() + DRAIN_MS;
  while ((await receiver.count()) < events && Date.now() < end) await pause(50);
}

/** Until nothing has come for a while. */
async function untilQuiet(receiver: ReceiverProcess): Promise<void> {
  let before = -1;
  for (let now = await receiver.count(); now !== before; now = await receiver.count()) {
    before = now;
    await pause(1_000);
  }
}
