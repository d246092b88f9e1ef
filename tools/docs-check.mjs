import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const read = (path) => readFileSync(join(ROOT, path), 'utf8');

/** What the documents say of the code and can be looked up there. @returns one line for each fault */
export function docsFaults() {
  return [...testFaults('docs/ARCHITECTURE.md'), ...metricFaults('docs/operations.md'), ...linkFaults()];
}

/** An invariant names its test as `file.spec.ts` › _name_: both must exist. */
function testFaults(path) {
  const named = [...read(path).matchAll(/`([\w./-]+\.spec\.ts)` › [*_]([^*_]+)[*_]/g)];
  if (named.length === 0) return [`${path} names no test`];
  return named.flatMap(([, file, name]) => {
    if (!existsSync(join(ROOT, file))) return [`${path}: there is no ${file}`];
    return read(file).includes(name) ? [] : [`${path}: ${file} has no test “${name}”`];
  });
}

/** Every metric that the code makes is in the table. */
function metricFaults(path) {
  const text = read(path);
  const code = globSync('{apps,libs}/**/*.ts', { cwd: ROOT, exclude: (name) => name === 'node_modules' });
  const names = code
    .filter((file) => !file.endsWith('.spec.ts'))
    .flatMap((file) =>
      [...read(file).matchAll(/\.(?:counter|gauge|histogram)\(\s*'(hookline_\w+)'/g)].map(([, name]) => name),
    );
  return [...new Set(names)]
    .filter((name) => !text.includes(`\`${name}\``))
    .map((name) => `${path} does not have ${name}`);
}

/** Relative links lead to files that are there. */
function linkFaults() {
  const documents = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: ROOT })];
  return documents.flatMap((document) =>
    [...read(document).matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)/g)]
      .filter(([, link]) => !existsSync(join(ROOT, dirname(document), link)))
      .map(([, link]) => `${document}: ${link} is not there`),
  );
}
