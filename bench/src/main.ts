import { writeFileSync } from 'node:fs';
import type { Bench, Prepared } from './bench.js';
import { drain } from './benches/drain.js';
import { fairness } from './benches/fairness.js';
import { http2 } from './benches/http2.js';
import { isolation } from './benches/isolation.js';
import { replay } from './benches/replay.js';
import { spine } from './benches/spine.js';
import { subscriptions } from './benches/subscriptions.js';
import { describeMachine } from './report/machine.js';
import { present, toJson } from './report/present.js';

const BENCHES: readonly Bench[] = [spine, isolation, drain, fairness, subscriptions, replay, http2];

const [name, ...args] = process.argv.slice(2);
const bench = BENCHES.find((one) => one.name === name) ?? listAll();
const prepared = prepareOrUsage();
// Whatever was started ends with this process, and what it wrote is removed when it exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const report = { name: bench.name, date: new Date().toISOString(), machine: await describeMachine() };
const finding = await prepared.run((line) => process.stderr.write(`bench: ${line}\n`));
process.stdout.write(present(report, finding));
const json = toJson(report, prepared.options, finding);
if (prepared.json === undefined) process.stdout.write(json);
else writeFileSync(prepared.json, json);
process.exit(finding.faults.length === 0 ? 0 : 1);

function listAll(): never {
  const widest = Math.max(...BENCHES.map((one) => one.name.length));
  const lines = BENCHES.map((one) => `  ${one.name.padEnd(widest)}  ${one.about}\n`);
  if (name !== undefined) process.stderr.write(`There is no benchmark ${name}.\n\n`);
  process.stderr.write(`npm run bench -- <name> [flags], or <name> --help\n\n${lines.join('')}`);
  process.exit(name === undefined ? 0 : 2);
}

function prepareOrUsage(): Prepared {
  if (args.includes('--help')) {
    process.stdout.write(bench.usage);
    process.exit(0);
  }
  try {
    return bench.prepare(args);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${bench.usage}`);
    process.exit(2);
  }
}
