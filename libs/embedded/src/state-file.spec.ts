import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readClusterFile, writeClusterFile } from './kafka/cluster-file.js';
import { EmbeddedKafka } from './kafka/embedded-kafka.js';
import { assertWholeBrokers, brokerFolder } from './kafka/whole-brokers.js';
import { assertWholeData } from './postgres/whole-data.js';
import { ProcessRegister } from './process/process-register.js';
import { StartError } from './start-error.js';

describe('a data folder that is damaged is refused, and left as it is', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'hookline-state-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const cluster = { clusterId: 'abc', madeBy: 'jvm' as const, brokers: 1, ports: [[9092, 9093]] };

  it('cluster.json that is whole is read; none is none', () => {
    expect(readClusterFile(dir)).toBeUndefined();
    writeClusterFile(dir, cluster);
    expect(readClusterFile(dir)).toEqual(cluster);
  });

  it.each([
    ['empty', ''],
    ['cut off', '{"clusterId":"abc","madeBy":"j'],
    ['without its id', '{"madeBy":"jvm","brokers":1,"ports":[[1,2]]}'],
    ['something else', '"text"'],
  ])('cluster.json that is %s', (_, text) => {
    const file = join(dir, 'cluster.json');
    writeFileSync(file, text);
    expect(() => readClusterFile(dir)).toThrow(StartError);
    expect(() => readClusterFile(dir)).toThrow(file);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('brokers whose cluster.json is gone', () => {
    mkdirSync(join(dir, 'broker-1'));
    writeFileSync(join(dir, 'broker-1', 'meta.properties'), 'cluster.id=abc');
    expect(() => readClusterFile(dir)).toThrow(/cluster\.json is missing/);
    expect(readdirSync(dir)).toEqual(['broker-1']);
  });

  describe('brokers', () => {
    const folders = (count: number): string[] =>
      Array.from({ length: count }, (_, index) => brokerFolder(dir, index + 1));
    const META = 'node.id=1\ndirectory.id=x\nversion=1\ncluster.id=abc\n';
    function broker(id: number, meta: string | undefined, ...partitions: string[]): string {
      const folder = brokerFolder(dir, id);
      for (const partition of partitions) mkdirSync(join(folder, partition), { recursive: true });
      mkdirSync(folder, { recursive: true });
      if (meta !== undefined) writeFileSync(join(folder, 'meta.properties'), meta);
      return folder;
    }
    const whole = (id: number): string =>
      broker(id, META.replace('node.id=1', `node.id=${id}`), '__cluster_metadata-0', 'hookline.events-0');

    it('that are whole, or were formatted and never started, are taken; so is one of three that lost its disk', () => {
      whole(1);
      expect(() => assertWholeBrokers(folders(1), 'abc')).not.toThrow();
      broker(1, META);
      whole(2);
      expect(() => assertWholeBrokers(folders(3), 'abc')).not.toThrow();
    });

    it.each([
      ['meta.properties that is empty', '', ['__cluster_metadata-0'], /is empty/],
      ['meta.properties that is cut off', 'node.id=1\ndirec', ['__cluster_metadata-0'], /is damaged/],
      ['meta.properties that is gone', undefined, ['__cluster_metadata-0', 'hookline.events-0'], /is missing/],
      ['meta.properties of another cluster', META.replace('abc', 'xyz'), [], /1 of cluster xyz, and .* 1 of abc/],
      ['meta.properties of another broker', META.replace('id=1', 'id=2'), [], /of another broker \(2 of/],
      ['what topics there are', META, ['hookline.events-0'], /__cluster_metadata-0 is missing/],
    ])('%s', (_, meta, partitions, message) => {
      const folder = broker(1, meta, ...partitions);
      const before = readdirSync(folder);
      expect(() => assertWholeBrokers(folders(1), 'abc')).toThrow(StartError);
      expect(() => assertWholeBrokers(folders(1), 'abc')).toThrow(message);
      expect(() => assertWholeBrokers(folders(1), 'abc')).toThrow(/Nothing was changed\..*--data/);
      expect(readdirSync(folder)).toEqual(before);
    });

    it('of which most have lost their data', () => {
      whole(3);
      expect(() => assertWholeBrokers(folders(3), 'abc')).toThrow(/is gone .*broker-1, .*broker-2/);
    });

    it('that are gone altogether, where they have been used', async () => {
      const start = EmbeddedKafka.start({ dataDir: dir, brokers: 1, isMade: true });
      await expect(start).rejects.toThrow(/Kafka's data in .* is gone\. Nothing was changed/);
      expect(readdirSync(dir)).toEqual([]);
    });
  });

  it('a list of processes that is damaged is none: each of them holds its own data', async () => {
    const file = join(dir, 'processes.json');
    for (const text of ['', '[{"name":"kaf', '{}', 'null', '[null]', '[{"name":"kafka-1"}]']) {
      writeFileSync(file, text);
      expect((await ProcessRegister.open(file)).ended).toEqual([]);
      expect(readFileSync(file, 'utf8')).toBe('[]');
    }
  });

  it('a database that was never finished is made anew, and one that is gone only where nobody has used it', () => {
    const data = join(dir, 'data');
    mkdirSync(join(data, 'base'), { recursive: true });
    expect(() => assertWholeData(data, join(dir, 'password'))).not.toThrow();
    expect(() => assertWholeData(data, join(dir, 'password'), true)).toThrow(/is gone.*--rebuild-database/);
    mkdirSync(join(data, 'base', '1'));
    writeFileSync(join(data, 'base', '1', 'PG_VERSION'), '17');
    expect(() => assertWholeData(data, join(dir, 'password'))).toThrow(/PG_VERSION is missing/);
  });

  it('a database without its version, or without its password', () => {
    const [data, password] = [join(dir, 'data'), join(dir, 'password')];
    expect(() => assertWholeData(data, password)).not.toThrow();
    mkdirSync(join(data, 'global'), { recursive: true });
    writeFileSync(join(data, 'global', 'pg_control'), 'x');
    expect(() => assertWholeData(data, password)).toThrow(/PG_VERSION/);
    writeFileSync(join(data, 'PG_VERSION'), '17');
    expect(() => assertWholeData(data, password)).toThrow(/password/);
    writeFileSync(password, '');
    expect(() => assertWholeData(data, password)).toThrow(StartError);
    writeFileSync(password, 'secret');
    expect(() => assertWholeData(data, password)).not.toThrow();
  });
});
