import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readClusterFile, writeClusterFile } from './kafka/cluster-file.js';
import { assertWholeData } from './postgres/whole-data.js';
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
