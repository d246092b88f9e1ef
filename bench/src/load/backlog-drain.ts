import { setTimeout as pause } from 'node:timers/promises';
import { microsEach, CpuMeter, type CpuTimes } from '../report/cpu-meter.js';
import { reconcile, type Reconciled } from '../report/reconcile.js';
import type { ReceiverProcess } from '../receiver/receiver-process.js';
import type { ReceiverReport } from '../receiver/receiver.js';
import { untilNobodyLearnsLate } from '../stage/late-learners.js';
import type { Stage, Tenant } from '../stage/stage.js';
import type { Say } from '../bench.js';
import { publishBatches } from './batches.js';

export interface BacklogOptions {
  /** Events whose deliveries are measured. */
  events: number;
  /** Events before them, while the worker's code is still being compiled: they count for the pace, not for the cost. */
  warmup: number;
  /** The first of the measured ones, whose cost is also told by itself: code is as warm in every run then. */
  window: number;
  types: readonly string[];
  /** The limit of the worker's heap, MiB; 0 or absent: what Node takes on this machine. */
  heap?: number;
}

export interface BacklogDrain extends Reconciled {
  /** All that was there when the worker started. */
  backlog: number;
  publishedPerSecond: number;
  /** From the worker's start until it was ready, ms. */
  readyMs: number;
  /** From the first arrival to the last. */
  deliveriesPerSecond: number;
  /** Deliveries after those of the warm-up. */
  measured: number;
  /** CPU time for each of these, µs, by part. */
  cpuMicros: CpuTimes;
  /** CPU time of the worker for each of the first {@link BacklogOptions.window}, µs. */
  windowMicros: number;
  /** The worker's resident memory: the most that was seen, and when all was delivered; MiB. */
  memoryPeakMiB: number;
  memoryAfterMiB: number;
  ids: string[];
}

const PATIENCE_MS = 90_000;
const DURABLE_MS = 60_000;
const DURABLE_LOOK_MS = 20;
const MEMORY_LOOK_MS = 1_000;
const MIB = 2 ** 20;
const OLDEST = 'hookline_oldest_undelivered_event_age_seconds';
const MEMORY = 'process_resident_memory_bytes';

/**
 * Fills the log while no delivery worker runs, then starts one and lets it deliver all of it, and stops it in order.
 */
export async function drainBacklog(
  stage: Stage,
  receiver: ReceiverProcess,
  { apiKey }: Tenant,
  { events, warmup, window, types, heap = 0 }: BacklogOptions,
  say: Say,
): Promise<BacklogDrain> {
  const backlog = warmup + events;
  await untilNobodyLearnsLate(stage);
  say(`publishing ${backlog} events`);
  const began = Date.now();
  const plan = (n: number): { type: string } => ({ type: types[n % types.length] as string });
  const ids = await publishBatches(stage.url('ingest'), apiKey, backlog, plan);
  const publishedPerSecond = Math.round((backlog * 1_000) / (Date.now() - began));
  say('starting the worker');
  const memory = new MemoryWatch(stage);
  const env = heap > 0 ? { NODE_OPTIONS: `--max-old-space-size=${heap}` } : {};
  const ready = stage.start('delivery', { env });
  const warm = receiver.untilCame(Math.max(1, warmup), PATIENCE_MS);
  const readyMs = await ready;
  await warm;
  const [meter, before] = await Promise.all([CpuMeter.start(stage, receiver), receiver.count()]);
  await receiver.untilCame(Math.min(backlog, before + window), PATIENCE_MS, () => memory.look());
  const [first, inWindow] = await Promise.all([meter.read(), receiver.count()]);
  await receiver.untilCame(backlog, PATIENCE_MS, () => memory.look());
  await untilDurable(stage);
  const cpu = await meter.read();
  const memoryAfterMiB = await memory.now();
  const measured = (await receiver.count()) - before;
  await stage.stop('delivery');
  const report = await receiver.report();
  return {
    backlog,
    publishedPerSecond,
    readyMs,
    deliveriesPerSecond: paceOf(report),
    measured,
    cpuMicros: microsEach(cpu, measured),
    windowMicros: microsEach(first, inWindow - before).delivery ?? NaN,
    memoryPeakMiB: memory.peakMiB,
    memoryAfterMiB,
    ...reconcile(
      ids.map((id) => ({ id })),
      report,
    ),
    ids,
  };
}

/** Until the outcome of every event is durable: that is a part of what a delivery costs. */
async function untilDurable(stage: Stage): Promise<void> {
  const end = Date.now() + DURABLE_MS;
  while (Date.now() < end && (await stage.metric('delivery', OLDEST)) > 0) await pause(DURABLE_LOOK_MS);
}

function paceOf({ events }: ReceiverReport): number {
  let first = Infinity;
  let last = -Infinity;
  for (const [, at] of events) {
    first = Math.min(first, at);
    last = Math.max(last, at);
  }
  return last > first ? Math.round((events.length * 1_000) / (last - first)) : 0;
}

class MemoryWatch {
  peakMiB = 0;
  private nextLook = 0;

  constructor(private readonly stage: Stage) {}

  async look(): Promise<void> {
    if (Date.now() < this.nextLook) return;
    this.nextLook = Date.now() + MEMORY_LOOK_MS;
    await this.now();
  }

  async now(): Promise<number> {
    const mib = Math.round((await this.stage.metric('delivery', MEMORY)) / MIB);
    this.peakMiB = Math.max(this.peakMiB, mib);
    return mib;
  }
}
