import { relative } from 'node:path';
import { StartError } from '@hookline/embedded';
import type { StartOptions } from '../cli/arguments.js';
import { stopRequested } from '../cli/stop-signal.js';
import { Installation } from '../installation/installation.js';

/** With npm gone nobody waits for us: what is not finished by then is killed, and is still in the log. */
const ORPHAN_STOP_MS = 8_000;

/** Starts everything and waits until it is asked to stop. @returns the exit code */
export async function start(options: StartOptions): Promise<number> {
  const stopped = stopRequested();
  const installation = Installation.open({ ...options, onProgress: say });
  try {
    const first = await Promise.race([installation.start().then(() => 'started' as const), stopped]);
    if (first === 'started') process.stdout.write(welcome(installation, options));
    const reason = await Promise.race([stopped, installation.failed]);
    if (reason instanceof StartError) throw reason;
    say('stopping: the roles finish what they have in hand…');
    if (reason === 'orphaned') setTimeout(() => process.exit(1), ORPHAN_STOP_MS);
    await installation.stop();
    say('stopped');
    return 0;
  } catch (error) {
    await installation.stop();
    throw error;
  }
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function welcome({ roles, apiKey, kafka }: Installation, { dataDir }: StartOptions): string {
  const urls = [...roles.values()].map(({ name, url }) => `  ${name.padEnd(10)} ${url}`);
  const inside = relative(process.cwd(), dataDir);
  const folder = inside.startsWith('..') ? dataDir : inside || '.';
  const ingest = roles.get('ingest')?.url;
  const admin = roles.get('admin-api')?.url;
  return `
Hookline is up. Its management API is described at ${admin}/docs
${urls.join('\n')}
  Kafka      ${kafka ? kafka.brokers.join(', ') : process.env['KAFKA_BROKERS']}

Your API key (kept in ${folder}/secrets.json):
  ${apiKey}

Publish an event:
  curl -i ${ingest}/v1/events -H 'Authorization: Bearer ${apiKey}' -H 'Content-Type: application/json' -d '{"type":"order.created","data":{"id":1}}'

Endpoints on this machine (loopback) may be called, which is refused elsewhere unless HOOKLINE_ALLOW_CIDRS says so.
Logs: ${folder}/logs. Ctrl-C stops everything and keeps the data.
`;
}
