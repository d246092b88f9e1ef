import type { Table } from '../../../bench/src/report/table.js';
import type { Fault } from '../fault.js';
import type { StoredResult } from './results.js';

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

const HEAD = ['fault', 'runs', 'events', 'deliveries', 'lost', 'repeated', 'recovered in, s', 'wrong'] as const;

/** As a person reads it on the screen. */
export function tableOf(rows: readonly Row[]): Table {
  return { head: HEAD, rows: rows.map((row) => cellsOf(row)) };
}

/** docs/reliability.md, all of it. */
export function documentOf(rows: readonly Row[]): string {
  const [last] = rows.flatMap(({ runs }) => runs).toSorted((a, b) => b.at.localeCompare(a.at));
  const { machine } = last ?? {};
  const seeds = new Set(rows.flatMap(({ runs }) => runs.map(({ seed }) => seed.split('/')[0])));
  const where = machine
    ? `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}; Node ${machine.node}, Kafka ${machine.kafka}`
    : 'nowhere yet';
  const table = [
    `| ${HEAD.map((name) => (name === 'fault' ? 'What breaks' : name)).join(' | ')} |`,
    `| --- |${' ---: |'.repeat(HEAD.length - 1)}`,
    ...rows.map(({ fault, ...row }) => {
      const [, ...cells] = cellsOf({ fault, ...row });
      return `| ${fault.about} (\`${fault.name}\`) | ${cells.join(' | ')} |`;
    }),
  ];
  return `# Reliability

Written by \`npm run test:faults -- --write\`; don't edit it by hand.

Three brokers, PostgreSQL, two ingest nodes, two delivery workers, two recorders and management run as processes of their own. Publishers
publish at a steady rate, and repeat each event, with its id, until it is acknowledged. Five subscriptions get them: a plain one, one ordered by key, one with a rate limit,
one whose endpoint fails until the fault is over, one whose endpoint always fails and that is deleted in the end. The fault comes at a random moment, when there is work in
flight for it; it is healed; and when all is quiet **each event is looked up by its id**: for each subscription the acknowledged events are those that
its endpoint has accepted by its own account, and those in the dead letters; none is in neither or in both, none is still pending, and history says the same. No
attempt comes before it is due, and none overtakes an earlier event of its key.

- _events_: acknowledged ones, of all runs together. _deliveries_: what became of them, over all subscriptions, dead letters among them.
- _lost_: events that some subscription neither got nor has as a dead letter. _repeated_: deliveries that an endpoint accepted once more, with the same \`webhook-id\`.
- _recovered in_: from the moment at which the fault was about to be healed until publishers were answered again and the plain subscription had every event of before; the longest of the runs.
- _wrong_: runs in which anything at all was not as it is to be.

${table.join('\n')}

${rows.some(({ notRun }) => notRun !== undefined) ? `Not run: ${rows.flatMap(({ fault, notRun }) => (notRun === undefined ? [] : [`\`${fault.name}\`: ${notRun}`])).join('; ')}.\n\n` : ''}${(last?.at ?? '').slice(0, 10)}, ${where}; seed ${[...seeds].join(', ')}. A run is done again with \`npm run test:faults -- --again <seed>/<fault>/<run>\`; the moment is the
same in events then, and not in microseconds.
`;
}

function cellsOf({ fault, runs, notRun }: Row): string[] {
  if (notRun !== undefined) return [fault.name, 'not run', '', '', '', '', '', ''];
  const sum = (of: (run: StoredResult) => number): string =>
    runs.reduce((all, run) => all + of(run), 0).toLocaleString('en');
  const recoveries = runs.map(({ recoveryMs }) => recoveryMs ?? Infinity);
  const longest = Math.max(...recoveries);
  return [
    fault.name,
    String(runs.length),
    sum(({ events }) => events),
    sum(({ delivered, deadLettered }) => delivered + deadLettered),
    sum(({ lost }) => lost),
    sum(({ repeated }) => repeated),
    Number.isFinite(longest) ? (longest / 1_000).toFixed(1) : 'not',
    String(runs.filter(({ faults }) => faults.length > 0).length),
  ];
}
