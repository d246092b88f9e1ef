import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StartError } from '../start-error.js';
import { findJava, kafkaClassPath } from './kafka-jars.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hookline-jars-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A command that says what it is told to, and ends with this code. */
function command(name: string, says: string, code = 0): void {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\necho '${says}'\nexit ${code}\n`);
  chmodSync(file, 0o755);
}

describe('what Kafka needs where there is no Docker', () => {
  it('says that there is no Java, and every way out', () => {
    expect(() => findJava({ PATH: folder })).toThrow(StartError);
    expect(() => findJava({ PATH: folder })).toThrow(/Java 17 or later.*no java.*install it.*Docker.*KAFKA_BROKERS/);
  });

  it('says that JAVA_HOME is wrong', () => {
    expect(() => findJava({ PATH: folder, JAVA_HOME: join(folder, 'none') })).toThrow(/JAVA_HOME \(.*none\) has no/);
  });

  it('tells an old Java from one that will do', () => {
    command('java', 'openjdk version "11.0.2" 2019-01-15');
    expect(() => findJava({ PATH: folder })).toThrow(/is Java 11: install a newer one/);
    command('java', 'java version "1.8.0_202"');
    expect(() => findJava({ PATH: folder })).toThrow(/is Java 8/);
    command('java', 'openjdk version "21.0.4" 2024-07-16');
    expect(findJava({ PATH: folder })).toBe('java');
  });

  it('says that there is no Maven', async () => {
    const cache = join(folder, 'cache');
    await expect(kafkaClassPath(() => undefined, { PATH: folder }, cache)).rejects.toThrow(
      /no mvn is on the path: install it.*Docker.*KAFKA_BROKERS/,
    );
  });

  it('says why Maven could not fetch, and takes nothing half-done for the jars', async () => {
    const cache = join(folder, 'cache');
    mkdirSync(cache);
    command('mvn', '[ERROR] Could not transfer artifact', 1);
    const fetching = kafkaClassPath(() => undefined, { PATH: folder }, cache);
    await expect(fetching).rejects.toThrow(/could not fetch Kafka \(Could not transfer artifact\): check the network/);
    expect(readdirSync(cache)).toEqual([]);
  });
});
