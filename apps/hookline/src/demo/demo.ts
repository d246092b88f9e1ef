import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatDelay } from '@hookline/contracts';
import { StartError } from '@hookline/embedded';
import { stopRequested } from '../cli/stop-signal.js';
import { Installation } from '../installation/installation.js';
import { Client } from './client.js';
import { Endpoint } from './endpoint.js';
import { Narrator, StepFailed } from './narrator.js';
import { DELAYS_MS, Tour, WINDOW_MS } from './tour.js';

/** The guided tour, on parts and data of its own. @returns 0 only if every step held */
export async function demo(): Promise<number> {
  // It tells of retries within seconds and a window of ten: topics of another Hookline are not the place for that.
  delete process.env['KAFKA_BROKERS'];
  const narrator = new Narrator((text) => process.stdout.write(text));
  const dataDir = mkdtempSync(join(tmpdir(), 'hookline-demo-'));
  const began = performance.now();
  const failure = await tourIn(dataDir, narrator);
  if (failure === undefined) {
    rmSync(dataDir, { recursive: true, force: true });
    process.stdout.write(`\nEvery step held, in ${Math.round((performance.now() - began) / 1_000)} s.\n`);
    return 0;
  }
  process.stdout.write(
    `   ✗ ${failure}\n\nThe tour ends here. What the roles had to say is in ${join(dataDir, 'logs')}.\n`,
  );
  return 1;
}

/** @returns what did not hold; undefined if everything did */
async function tourIn(dataDir: string, narrator: Narrator): Promise<string | undefined> {
  const endpoint = new Endpoint();
  const installation = Installation.open({
    dataDir,
    brokers: 1,
    durable: false,
    settings: {
      HOOKLINE_RETRY_DELAYS: DELAYS_MS.map(formatDelay).join(),
      HOOKLINE_DELIVERY_WINDOW: formatDelay(WINDOW_MS),
      // Ten seconds are too short to leave a dead endpoint alone for some of them, and the tour shows how it is tried.
      HOOKLINE_BREAKER_FAILURES: '10000',
      HOOKLINE_BREAKER_SAMPLE: '10000',
    },
    onProgress: (line) => narrator.say(line),
  });
  const brokenOff = Promise.race([stopRequested().then(() => 'it was broken off'), installation.failed]);
  try {
    return await Promise.race([walk(installation, endpoint, narrator), brokenOff.then(String)]);
  } catch (error) {
    return error instanceof StepFailed || error instanceof StartError ? error.message : String(error);
  } finally {
    await endpoint.kill();
    await installation.stop();
  }
}

async function walk(installation: Installation, endpoint: Endpoint, narrator: Narrator): Promise<undefined> {
  narrator.step('Kafka, PostgreSQL and every role of Hookline start on this machine');
  await endpoint.open();
  await installation.start();
  const { apiKey } = installation;
  const client = new Client(installation.role('ingest').url, installation.role('admin-api').url, apiKey);
  await new Tour(client, endpoint, narrator).run();
}
