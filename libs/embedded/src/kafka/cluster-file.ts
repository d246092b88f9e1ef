import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../start-error.js';

/** What stays the same over starts on the same data. */
export interface ClusterFile {
  clusterId: string;
  madeBy: 'docker' | 'jvm';
  brokers: number;
  ports: number[][];
}

const fileOf = (dir: string): string => join(dir, 'cluster.json');

export function readClusterFile(dir: string): ClusterFile | undefined {
  return existsSync(fileOf(dir)) ? (JSON.parse(readFileSync(fileOf(dir), 'utf8')) as ClusterFile) : undefined;
}

export function writeClusterFile(dir: string, cluster: ClusterFile): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(fileOf(dir), JSON.stringify(cluster, undefined, 1));
}

export const newClusterId = (): string => randomBytes(16).toString('base64url').replace(/^-/, 'A');

/** @throws StartError if the data was made with another number of copies */
export function assertSameSize(dir: string, made: ClusterFile, wanted: number): void {
  if (made.brokers === wanted) return;
  throw new StartError(
    `The data in ${dir} was made with ${copies(made.brokers)} and can't be used with ${copies(wanted)}: start with --brokers ${made.brokers}, or with another folder (--data).`,
  );
}

const copies = (brokers: number): string => (brokers === 1 ? 'one broker' : `${brokers} brokers`);
