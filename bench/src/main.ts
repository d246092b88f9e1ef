import { writeFileSync } from 'node:fs';
import { parseOptions, USAGE, type SpineOptions } from './options.js';
import { formatReport } from './report.js';
import { spine } from './spine.js';

const [name, ...flags] = process.argv.slice(2);

function optionsOrUsage(): SpineOptions {
  try {
    if (name === 'spine') return parseOptions(flags);
    process.stderr.write(USAGE);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
  }
  process.exit(2);
}

const options = optionsOrUsage();
const result = await spine(options, (line) => process.stderr.write(`bench: ${line}\n`));
process.stdout.write(formatReport(result));
const json = `${JSON.stringify(result, undefined, 2)}\n`;
if (options.json === undefined) process.stdout.write(json);
else writeFileSync(options.json, json);
process.exit(result.ok ? 0 : 1);
