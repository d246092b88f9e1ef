/**
 * `npm run check`: everything about the code that can be said without running it. Each step is one line; a step that
 * fails shows why. `-- --fix` writes what can be written: formatting and docs/settings.md.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const FIX = process.argv.includes('--fix');
/** Fewer than that, and the cruiser looked at nothing: it exits 0 then, too. */
const FEWEST_MODULES = 50;
const SETTINGS_DOC = join(ROOT, 'docs/settings.md');

const steps = {
  format: () => tool('prettier', FIX ? '--write' : '--check', '--log-level', 'warn', '.'),
  lint: () => tool('oxlint', '--quiet', '--format', 'unix'),
  types: () => tool('tsc', '--noEmit', '--pretty', 'false', '-p', 'tsconfig.json'),
  imports: checkImports,
  'dead code': () => tool('knip', '--no-progress', '--no-config-hints'),
  settings: checkSettingsDoc,
  docs: checkDocs,
};

let failed = 0;
for (const [name, step] of Object.entries(steps)) {
  const start = performance.now();
  // one after another: two tools at once are slower on two cores, and their output would mix
  // oxlint-disable-next-line no-await-in-loop
  const fault = await step().catch((error) => error.stack);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${fault === undefined ? 'ok    ' : 'FAILED'}  ${name.padEnd(14)} ${seconds.padStart(5)} s`);
  if (fault !== undefined) {
    failed += 1;
    console.log(indent(fault));
  }
}
console.log(failed === 0 ? 'All checks passed.' : `${failed} of ${Object.keys(steps).length} checks failed.`);
process.exitCode = failed === 0 ? 0 : 1;

/** Runs one of the project's tools. @returns undefined when all is well, else what it said */
async function tool(name, ...args) {
  const { code, output, errors } = await run(name, args);
  return code === 0 ? undefined : [output, errors].filter(Boolean).join('\n') || `ended with ${code}`;
}

async function checkImports() {
  const folders = ['apps', 'libs', 'bench', 'test'].filter((folder) => existsSync(join(ROOT, folder)));
  const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...folders];
  const { code, output, errors } = await run('depcruise', args);
  if (!output.startsWith('{')) return output + errors || `dependency-cruiser ended with ${code}`;
  const { summary } = JSON.parse(output);
  const faults = summary.violations.map(
    ({ rule, from, to }) => `${from} → ${to} (${rule.name}: ${about(summary, rule)})`,
  );
  if (summary.totalCruised < FEWEST_MODULES) faults.push(`only ${summary.totalCruised} modules were looked at`);
  return faults.length === 0 ? undefined : faults.join('\n');
}

function about(summary, { name }) {
  return summary.ruleSetUsed?.forbidden?.find((rule) => rule.name === name)?.comment ?? 'not allowed';
}

async function checkSettingsDoc() {
  const { settingsDoc } = await import('./settings-doc.mjs');
  const expected = await settingsDoc();
  if (existsSync(SETTINGS_DOC) && readFileSync(SETTINGS_DOC, 'utf8') === expected) return undefined;
  if (!FIX) return 'docs/settings.md is not what libs/config says: npm run check -- --fix';
  writeFileSync(SETTINGS_DOC, expected);
  return undefined;
}

async function checkDocs() {
  const { docsFaults } = await import('./docs-check.mjs');
  const faults = docsFaults();
  return faults.length === 0 ? undefined : faults.join('\n');
}

function run(name, args) {
  const options = { cwd: ROOT, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' } };
  return new Promise((resolve, reject) => {
    execFile(join(ROOT, 'node_modules/.bin', name), args, options, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: error?.code ?? 0, output: stdout.trim(), errors: stderr.trim() });
    }).stdin?.end();
  });
}

function indent(text) {
  return text
    .split('\n')
    .map((line) => `        ${line}`)
    .join('\n');
}
