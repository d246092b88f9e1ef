import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { brokersSeenBy } from './broker-probe.js';
import { EmbeddedKafka } from './embedded-kafka.js';

describe('EmbeddedKafka', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hookline-kafka-'));
  let kafka: EmbeddedKafka;
  const start = (brokers: 1 | 3): Promise<EmbeddedKafka> => EmbeddedKafka.start({ dataDir, brokers });
  const address = (id: number): string => kafka.brokers[id - 1] as string;

  beforeAll(async () => {
    kafka = await start(1);
  });
  afterAll(async () => {
    await kafka.stop('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('starts a broker, and says when it dies of something else', async () => {
    expect(await brokersSeenBy(address(1))).toBe(1);
    const death = new Promise<number>((resolve) => kafka.onUnexpectedDeath(resolve));
    await kafka.pause(1);
    await kafka.resume(1);
    const { pid } = JSON.parse(await readRegister(dataDir))[0] as { pid: number };
    process.kill(pid, 'SIGKILL');
    expect(await death).toBe(1);
    await kafka.restart(1);
    expect(await brokersSeenBy(address(1))).toBe(1);
  });

  it('comes back after a kill, and with an empty disk', async () => {
    await kafka.kill(1);
    await expect(brokersSeenBy(address(1))).rejects.toThrow();
    await kafka.wipe(1);
    await kafka.restart(1);
    expect(await brokersSeenBy(address(1))).toBe(1);
  });

  it('finds its data and ports again, and refuses another number of copies', async () => {
    const before = kafka.brokers;
    await kafka.stop();
    await expect(start(3)).rejects.toThrow(/made with one broker.*--brokers 1/);
    kafka = await start(1);
    expect(kafka.brokers).toEqual(before);
  });

  it('ends what a killed start has left behind', async () => {
    const left = kafka;
    kafka = await start(1);
    expect(await brokersSeenBy(address(1))).toBe(1);
    await left.stop();
  });
});

async function readRegister(dataDir: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return readFile(join(dataDir, 'kafka', 'processes.json'), 'utf8');
}
