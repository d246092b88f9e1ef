import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../start-error.js';
import { readStateFile } from '../state-file.js';

/** What stays the same over starts on the same data. */
export interface ClusterFile {
  clusterId: string;
  madeBy: 'docker' | 'jvm';
  brokers: number;
  ports: number[][];
}

const fileOf = (dir: string): string => join(dir, 'cluster.json');

/** @throws StartError for a file that is damaged, or missing where there are brokers: they'd be started as another cluster */
export function readClusterFile(dir: string): ClusterFile | undefined {
  const file = readStateFile<ClusterFile>(fileOf(dir), isWhole, ADVICE);
  if (file === undefined && hasBrokers(dir))
    throw new StartError(`${fileOf(dir)} is missing, and there is the data of brokers. Nothing was changed. ${ADVICE}`);
  return file;
}

export const ADVICE = 'Bring the folder back from a backup, or start with another one (--data).';

function isWhole({ clusterId, madeBy, brokers, ports }: Partial<ClusterFile>): boolean {
  return (
    typeof clusterId === 'string' &&
    clusterId !== '' &&
    (madeBy === 'docker' || madeBy === 'jvm') &&
    typeof brokers === 'number' &&
    Array.isArray(ports) &&
    ports.every((of) => Array.isArray(of) && of.every((port) => Number.isInteger(port)))
  );
}

function hasBrokers(dir: string): boolean {
  return existsSync(dir) && readdirSync(dir).some((entry) => existsSync(join(dir, entry, 'meta.properties')));
}

export function writeClusterFile(dir: string, cluster: ClusterFile): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(`${fileOf(dir)}.new`, JSON.stringify(cluster, undefined, 1));
  renameSync(`${fileOf(dir)}.new`, fileOf(dir));
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
