import type { ReceiverProcess } from '../receiver/receiver-process.js';
import type { Stage } from '../stage/stage.js';
import { busySeconds } from './machine.js';

/** CPU time by part; `brokers, database, system` is what else the machine did. Seconds, or µs for each event. */
export type CpuTimes = Record<string, number>;

/** What the parts of a stage use from one moment to another. */
export class CpuMeter {
  private constructor(
    private readonly stage: Stage,
    private readonly receiver: ReceiverProcess,
    private readonly before: CpuTimes,
    private readonly busyBefore: number,
  ) {}

  static async start(stage: Stage, receiver: ReceiverProcess): Promise<CpuMeter> {
    return new CpuMeter(stage, receiver, await timesOf(stage, receiver), busySeconds());
  }

  /** Since the start, seconds. */
  async read(): Promise<CpuTimes> {
    const now = await timesOf(this.stage, this.receiver);
    const all = busySeconds() - this.busyBefore;
    const used: CpuTimes = {};
    for (const [part, seconds] of Object.entries(now)) used[part] = seconds - (this.before[part] ?? 0);
    const known = Object.values(used).reduce((sum, seconds) => sum + seconds, 0);
    return { ...used, 'brokers, database, system': all - known };
  }
}

/** @returns µs for each of `count` */
export function microsEach(times: CpuTimes, count: number): CpuTimes {
  const each = Object.entries(times).map(([part, seconds]) => [part, Math.round((seconds * 1e6) / Math.max(1, count))]);
  return Object.fromEntries(each) as CpuTimes;
}

export function presentCpu(times: CpuTimes): string {
  return Object.entries(times)
    .map(([part, micros]) => `${part} ${micros}`)
    .join(', ');
}

async function timesOf(stage: Stage, receiver: ReceiverProcess): Promise<CpuTimes> {
  const [roles, cpu] = await Promise.all([stage.cpuSeconds(), receiver.cpuSeconds()]);
  const { user, system } = process.cpuUsage();
  return { publishers: (user + system) / 1e6, ...roles, receiver: cpu };
}
