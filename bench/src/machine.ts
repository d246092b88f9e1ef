import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '@hookline/embedded';

/** What a figure is worth nothing without. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  system: string;
  node: string;
  kafka: string;
}

export function describeMachine(): Machine {
  const all = cpus();
  const pom = readFileSync(join(projectRoot(), 'libs', 'embedded', 'kafka', 'pom.xml'), 'utf8');
  return {
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    kafka: /<artifactId>kafka_[^<]*<\/artifactId>\s*<version>([^<]+)</.exec(pom)?.[1] ?? 'unknown',
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
