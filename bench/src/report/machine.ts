import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { projectRoot } from '@hookline/embedded';

/** What a figure is worth nothing without. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  system: string;
  node: string;
  kafka: string;
  /** What others had it do before anything was started here: per cent of its cores. Above a few, the figures are theirs. */
  busyBeforePercent: number;
}

const LOOK_MS = 2_000;

export async function describeMachine(): Promise<Machine> {
  const busyBefore = busySeconds();
  await pause(LOOK_MS);
  const busy = busySeconds() - busyBefore;
  const all = cpus();
  const pom = readFileSync(join(projectRoot(), 'libs', 'embedded', 'kafka', 'pom.xml'), 'utf8');
  return {
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    kafka: /<artifactId>kafka_[^<]*<\/artifactId>\s*<version>([^<]+)</.exec(pom)?.[1] ?? 'unknown',
    busyBeforePercent: Math.round((busy * 100_000) / LOOK_MS / all.length),
  };
}

/** CPU time that all processes of the machine have used since it started, seconds. */
export function busySeconds(): number {
  const busy = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return busy / 1_000;
}

/** A clock that all processes of the machine share; ms. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
