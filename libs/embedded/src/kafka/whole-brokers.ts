import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../start-error.js';
import { ADVICE } from './cluster-file.js';

/** Where KRaft keeps what topics there are; without it a broker takes every partition that it finds for a stray one. */
const METADATA = '__cluster_metadata-0';
const PARTITION = /^.+-\d+$/;

export const brokerFolder = (dir: string, id: number): string => join(dir, `broker-${id}`);

/**
 * Looks at the folders of brokers that have been started before, and changes nothing: a broker would be formatted anew over
 * what is left of its data, or throw away partitions of which it knows nothing.
 * @param folders of the brokers, by id − 1
 * @throws StartError where one is damaged, or most of them are gone; one that is gone altogether is filled by the others
 */
export function assertWholeBrokers(folders: readonly string[], clusterId: string): void {
  const there = folders.filter((folder, index) => {
    const meta = join(folder, 'meta.properties');
    if (existsSync(meta)) {
      assertMeta(meta, clusterId, index + 1);
      if (hasPartitions(folder) && !existsSync(join(folder, METADATA)))
        throw new StartError(
          `${join(folder, METADATA)} is missing, and there are partitions. Nothing was changed. ${ADVICE}`,
        );
      return true;
    }
    if (hasPartitions(folder))
      throw new StartError(`${meta} is missing, and there are partitions. Nothing was changed. ${ADVICE}`);
    return false;
  });
  if (2 * there.length > folders.length) return;
  const gone = folders.filter((folder) => !there.includes(folder)).join(', ');
  throw new StartError(`The data of the brokers is gone (${gone}). Nothing was changed. ${ADVICE}`);
}

function assertMeta(file: string, clusterId: string, id: number): void {
  const text = readFileSync(file, 'utf8');
  const valueOf = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1]?.trim();
  const [cluster, node] = [valueOf('cluster.id'), valueOf('node.id')];
  if (cluster === undefined || node === undefined || valueOf('version') === undefined)
    throw new StartError(`${file} ${text.trim() === '' ? 'is empty' : 'is damaged'}. Nothing was changed. ${ADVICE}`);
  if (cluster !== clusterId || node !== String(id))
    throw new StartError(
      `${file} is of another broker (${node} of cluster ${cluster}, and it should be ${id} of ${clusterId}). Nothing was changed. ${ADVICE}`,
    );
}

const hasPartitions = (folder: string): boolean =>
  existsSync(folder) && readdirSync(folder).some((entry) => PARTITION.test(entry));
