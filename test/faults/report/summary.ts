import { ABOUT, AGAIN, BOUND, FINDS } from './text.js';
import type { Table } from '../../../bench/src/report/table.js';
import type { Fault } from '../fault.js';
import type { StoredResult } from './results.js';

/** More than a machine does that has nothing to do. */
const BUSY_PERCENT = 10;

export interface Row {
  fault: Fault;
  runs: readonly StoredResult[];
  /** Why there are none. */
  notRun?: string;
}

/** The results by fault, in the order of the faults; those that can't be run here with the reason. */
export function rowsOf(faults: readonly Fault[], results: readonly StoredResult[]): Row[] {
  return faults.flatMap((fault) => {
    const runs = results.filter((result) => result.fault === fault.name);
    const notRun = runs.length === 0 ? fault.hindrance?.() : undefined;
    return runs.length > 0 || notRun !== undefined
      ? [{ fault, runs, ...(notRun === undefined ? {} : { notRun }) }]
      : [];
  });
}

const HEAD = [
  'What breaks',
  'runs',
  'events',
  'deliveries',
  'held',
  'lost',
  'aged out',
  'repeated (bound)',
  'recovered in, s',
  'wrong',
] as const;

/** As a person reads it on the screen. */
export function tableOf(rows: readonly Row[]): Table {
  return { head: HEAD, rows: rows.map((row) => [row.fault.name, ...cellsOf(row)]) };
}

/** docs/reliability.md, all of it; formatted as the project's documents are. */
export function documentOf(rows: readonly Row[]): string {
  const results = rows.flatMap(({ runs }) => runs).toSorted((a, b) => a.at.localeCompare(b.at));
  const notRun = rows.flatMap(({ fault, notRun: why }) =>
    why === undefined ? [] : [`- \`${fault.name}\` was not run: ${why}.`],
  );
  const described = rows.map((row) => [`${row.fault.about} (\`${row.fault.name}\`)`, ...cellsOf(row)]);
  return [
    ABOUT,
    markdownTable(HEAD, described),
    ...(notRun.length > 0 ? [notRun.join('\n')] : []),
    occasionOf(results),
    ...wrongOf(results),
    AGAIN,
    BOUND,
    `${FINDS}\n`,
  ].join('\n\n');
}

/** What was wrong, by run: the first lines of it. */
function wrongOf(results: readonly StoredResult[]): string[] {
  const wrong = results.filter(({ faults }) => faults.length > 0);
  if (wrong.length === 0) return [];
  const line = ({ seed, faults }: StoredResult): string =>
    `- \`${seed}\`: ${faults
      .slice(0, 2)
      .map((fault) => fault.split('\n')[0])
      .join(' ')}`;
  return [`Wrong was:\n\n${wrong.map(line).join('\n')}`];
}

function occasionOf(results: readonly StoredResult[]): string {
  const last = results.at(-1);
  if (!last) return 'Nothing has been run yet.';
  const { cpu, cores, memoryGiB, system, node, kafka } = last.machine;
  const seeds = new Set(results.map(({ seed }) => seed.split('/')[0]));
  const busy = Math.max(...results.map(({ machine }) => machine.busyBeforePercent));
  return [
    `${last.at.slice(0, 10)}; ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}; Node ${node}, Kafka ${kafka}; seed ${[...seeds].join(', ')}.`,
    ...(busy > BUSY_PERCENT ? [`Others used up to ${busy} % of the machine: the times are theirs, too.`] : []),
  ].join('\n');
}

function cellsOf({ runs, notRun }: Row): string[] {
  if (notRun !== undefined) return ['not run', '', '', '', '', '', '', '', ''];
  const sum = (of: (run: StoredResult) => number): string =>
    runs.reduce((all, run) => all + of(run), 0).toLocaleString('en');
  const longest = Math.max(...runs.map(({ recoveryMs }) => recoveryMs ?? Infinity));
  return [
    String(runs.length),
    sum(({ events }) => events),
    sum(({ delivered, deadLettered, held }) => delivered + deadLettered + held),
    sum(({ held }) => held),
    sum(({ lost }) => lost),
    sum(({ gone }) => gone),
    `${sum(({ repeated }) => repeated)} (${sum(({ repeatable }) => repeatable)})`,
    Number.isFinite(longest) ? (longest / 1_000).toFixed(1) : 'not',
    String(runs.filter(({ faults }) => faults.length > 0).length),
  ];
}

/** The first column to the left, the others to the right, as wide as they must be. */
function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => (cells[column] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, n) => (n === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}
