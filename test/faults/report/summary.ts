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
  'lost',
  'aged out',
  'repeated',
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
    AGAIN,
  ].join('\n\n');
}

const ABOUT = `# Reliability

Written by \`npm run test:faults -- --write\`; don't edit it by hand.

Three brokers, PostgreSQL, two ingest nodes, two delivery workers, two recorders and management run as processes of their own. Publishers publish
at a steady rate, and repeat each event, with its id, until it is acknowledged. Five subscriptions get them: a plain one, one that is
ordered by key, one with a rate limit, one whose endpoint fails until the fault is over, and one whose endpoint always fails and that is
deleted in the end. The fault comes at a random moment, when there is work in flight for it; it is healed; and when all is quiet **each
event is looked up by its id**: for each subscription, the acknowledged events are those that its endpoint has accepted by its own account
and those in the dead letters. None is in neither or in both, none is still pending, and history says the same. No attempt comes before it is
due, and none overtakes an earlier event of its key.

- _Events_ are those that were acknowledged, in all runs together; _deliveries_ what became of them over all subscriptions, dead letters among
  them.
- _Lost_: deliveries that are neither at the endpoint nor a dead letter. _Aged out_: those of events that the log let go of before a worker read
  them, of which the workers have told; nothing can deliver these. _Repeated_: what an endpoint accepted once more, with the same \`webhook-id\`.
- _Recovered in_: from the moment at which the fault was about to be healed until publishers were answered again and the plain subscription
  had every event of before; the longest of the runs.
- _Wrong_: runs in which anything at all was not as it is to be.`;

const AGAIN = `A run is done again with \`npm run test:faults -- --again <seed>/<fault>/<run>\`: its choices are the same then, the moment only to an event.
`;

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
  if (notRun !== undefined) return ['not run', '', '', '', '', '', '', ''];
  const sum = (of: (run: StoredResult) => number): string =>
    runs.reduce((all, run) => all + of(run), 0).toLocaleString('en');
  const longest = Math.max(...runs.map(({ recoveryMs }) => recoveryMs ?? Infinity));
  return [
    String(runs.length),
    sum(({ events }) => events),
    sum(({ delivered, deadLettered }) => delivered + deadLettered),
    sum(({ lost }) => lost),
    sum(({ gone }) => gone),
    sum(({ repeated }) => repeated),
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
