import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '@hookline/embedded';
import { describeMachine } from '../../bench/src/report/machine.js';
import { formatTable } from '../../bench/src/report/table.js';
import { Campaign } from './campaign.js';
import { FAULTS } from './kinds/all.js';
import { jobsOf, listing, newSeed, parseOptions, usage, type Job, type Options } from './options.js';
import { ReceiversProcess } from './receivers/receivers-process.js';
import { Results, type RunResult } from './report/results.js';
import { documentOf, rowsOf, tableOf } from './report/summary.js';

const FOLDER = join(projectRoot(), '.hookline', 'faults');
const DOCUMENT = join(projectRoot(), 'docs', 'reliability.md');
const begun = Date.now();

const options = optionsOrUsage();
// Whatever was started ends with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const results = new Results(options.results ?? join(FOLDER, 'results.jsonl'), options.resume || options.write);
const seed = options.seed ?? (options.resume ? results.all[0]?.seed.split('/')[0] : undefined) ?? newSeed();
const jobs = jobsOrUsage().filter((job) => !(options.resume && results.has(job.seed, options.events)));
const failed = options.write && !options.resume ? 0 : await runAll();
const rows = rowsOf(FAULTS, results.all);
process.stdout.write(`\n${formatTable(tableOf(rows))}\n\n`);
for (const { fault, notRun } of rows) if (notRun) process.stdout.write(`${fault.name} was not run: ${notRun}\n`);
if (options.write) writeFileSync(DOCUMENT, documentOf(rows));
process.exit(failed === 0 ? 0 : 1);

/** @returns in how many runs something was wrong */
async function runAll(): Promise<number> {
  say(`seed ${seed}, ${jobs.length} runs of ${options.events} events or more`);
  const machine = await describeMachine();
  using receivers = await ReceiversProcess.start();
  let wrong = 0;
  let prefix = '';
  await using campaign = new Campaign(FOLDER, receivers, options, (line) => say(`${prefix}${line}`));
  for (const [index, job] of jobs.entries()) {
    prefix = `[${index + 1}/${jobs.length}] ${job.fault.name}: `;
    const hindrance = job.fault.hindrance?.();
    if (hindrance !== undefined) {
      say(`${prefix}not run: ${hindrance}`);
      continue;
    }
    const result = await campaign.run(job);
    results.add({ ...result, machine });
    if (result.faults.length > 0) wrong += 1;
    for (const line of told(job, result)) say(`${prefix}${line}`);
    const left = results.leftMs(jobs.slice(index + 1).map(({ fault }) => fault.name));
    if (left > 0) say(`about ${Math.ceil(left / 60_000)} minutes left`);
  }
  return wrong;
}

function told({ seed: own }: Job, result: RunResult): string[] {
  const { events, delivered, deadLettered, held, lost, repeated, repeatable, refusals, recoveryMs, notes, faults } =
    result;
  const recovered = recoveryMs === null ? 'did not recover' : `recovered in ${(recoveryMs / 1_000).toFixed(1)} s`;
  return [
    `${events} events, ${delivered} delivered, ${deadLettered} dead letters, ${held} held, ${lost} lost, ${repeated} repeated of ${repeatable} that could be, ${refusals} refusals; ${recovered}; all of it took ${Math.round(result.tookMs / 1_000)} s`,
    ...notes.map((note) => `note: ${note}`),
    ...faults.map((fault) => `FAULT: ${fault}`),
    ...(faults.length > 0 ? [`again with --again ${own}`] : []),
  ];
}

function say(line: string): void {
  const seconds = Math.round((Date.now() - begun) / 1_000);
  process.stderr.write(`faults: ${String(seconds).padStart(4)} s  ${line}\n`);
}

function optionsOrUsage(): Options {
  if (process.argv.includes('--help')) {
    process.stdout.write(usage());
    process.exit(0);
  }
  return orUsage(() => {
    const parsed = parseOptions(process.argv.slice(2));
    if (!parsed.list) return parsed;
    process.stdout.write(listing());
    process.exit(0);
  });
}

function jobsOrUsage(): Job[] {
  return orUsage(() => jobsOf(options, seed));
}

function orUsage<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage()}`);
    process.exit(2);
  }
}
