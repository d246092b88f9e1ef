import type { OffsetRange } from '@hookline/kafka';
import type { Ledger } from './ledger.js';
import type { Missing } from './missing.js';
import type { Repaired, Sent } from './repair.js';
import type { Forgotten, Summary } from './summary.js';
import type { EndState, Proof } from './verdict.js';

/** What there is to say at the end. */
export interface Report {
  ranges: readonly OffsetRange[];
  /** What was asked for and is not in the log any more. */
  gone: readonly OffsetRange[];
  counts: Ledger['counts'];
  summary: Summary;
  forgotten: readonly Forgotten[];
  /** The first of them. */
  missing: readonly Missing[];
  repair: { sent: Sent; repaired: Repaired } | undefined;
}

const IN_WORDS: Record<Proof, string> = {
  outcome: 'its latest outcome says so',
  'dead-letter': 'by its dead letter',
  'dead-letter-range': 'by a dead letter for its range',
  position: 'where it stands its subscription takes nothing',
  lane: 'a lane has it',
  event: 'its event is not completed',
  'catch-up': 'a catch-up of its subscription brings it',
  'late-slice': 'left out by a worker that did not know the version yet, admin-api brings it',
  'attempts-aged-out': 'hookline.attempts does not reach back so far',
  'versions-forgotten': 'what its subscription took then is forgotten',
  'seen-once': 'missing in the last look only: run it again',
  none: 'no end, and nobody has it',
};

/** For a person. */
export function inWords(report: Report): string {
  const { counts, summary, ranges } = report;
  const lines = [
    `hookline.events ${ranges.map(({ partition, from, to }) => `${partition}:${from}…${to}`).join(' ') || '(nothing)'}`,
    `${number(counts.events)} events: ${number(counts.duplicates)} repeat others, ${number(counts.unreadable)} can't be read, ${number(counts.unmatched)} are for none of these subscriptions`,
    `${number(summary.deliveries)} deliveries:`,
    ...Object.entries(summary.states).map(([state, { total, proofs }]) => stateLine(state as EndState, total, proofs)),
    ...report.gone.map((range) => `Not in the log any more: ${range.partition}:${range.from}…${range.to}`),
    ...summary.unknown.map(
      (range) =>
        `Unknown in partition ${range.partition}: ${number(range.deliveries)} from offset ${range.first} (${iso(range.firstAt)}) to ${range.last} (${iso(range.lastAt)}): ${IN_WORDS[range.proof]}`,
    ),
    ...report.forgotten.map(
      ({ subscriptionId, partition, below }) =>
        `${subscriptionId}: what it took below ${partition}:${below} is forgotten; it is judged there by the first version that is known`,
    ),
    ...missingLines(report),
    ...repairLines(report.repair),
  ];
  return `${lines.join('\n')}\n`;
}

/** For a program. */
export function inJson({ ranges, gone, counts, summary, forgotten, missing, repair }: Report): string {
  const { deliveries, states, bySubscription, unknown } = summary;
  const report = {
    ranges,
    gone,
    events: counts,
    deliveries,
    states,
    subscriptions: Object.fromEntries(bySubscription),
    unknown: unknown.map((range) => ({ ...range, firstAt: iso(range.firstAt), lastAt: iso(range.lastAt) })),
    forgotten,
    missing: missing.map(withTimes),
    ...(repair && {
      repair: {
        sent: repair.sent.deliveries,
        refused: Object.fromEntries(repair.sent.refused),
        expunged: repair.sent.expunged,
        states: repair.repaired.states,
        deliveries: repair.repaired.listed.map(withTimes),
      },
    }),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function stateLine(state: EndState, total: number, proofs: Partial<Record<Proof, number>>): string {
  const head = `  ${state.padEnd(14)}${number(total).padStart(12)}`;
  const parts = Object.entries(proofs).map(([proof, count]) => `${number(count)} ${IN_WORDS[proof as Proof]}`);
  return parts.length === 0 ? head : `${head}   ${parts.join('; ')}`;
}

function missingLines({ missing, summary, repair }: Report): string[] {
  if (missing.length === 0 || repair !== undefined) return [];
  const rest = summary.states.missing.total - missing.length;
  return [
    'Missing:',
    ...missing.map((each) => `  ${placeOf(each)}  ${toldOf(each)}`),
    ...(rest > 0 ? [`  and ${number(rest)} more: --list ${summary.states.missing.total} names them all`] : []),
    'With --repair exactly these are sent again.',
  ];
}

function repairLines(repair: Report['repair']): string[] {
  if (repair === undefined) return [];
  const { sent, repaired } = repair;
  const states = Object.entries(repaired.states).map(([state, count]) => `${number(count)} ${state}`);
  return [
    `Sent again: ${number(sent.deliveries)}${states.length > 0 ? ` (${states.join(', ')})` : ''}`,
    ...repaired.listed.map((each) => `  ${placeOf(each)}  ${each.state}`),
    ...[...sent.refused].map(
      ([id, { status, deliveries }]) =>
        `Not sent, for ${id} is ${status}: ${number(deliveries)}. Enable it with a catch-up, and run this again.`,
    ),
    ...(sent.expunged > 0
      ? [`Not sent, but ended as dead letters, for their events were expunged: ${number(sent.expunged)}`]
      : []),
  ];
}

const placeOf = ({ partition, offset, at, eventId, subscriptionId }: Missing): string =>
  `${partition}:${offset}  ${iso(at)}  ${eventId}  ${subscriptionId}`;

const toldOf = ({ toldAt }: Missing): string =>
  toldAt === undefined ? 'nothing was ever told of it' : `last heard of ${iso(toldAt)}`;

function withTimes<T extends Missing>({ at, toldAt, ...rest }: T) {
  return { ...rest, at: iso(at), ...(toldAt === undefined ? {} : { toldAt: iso(toldAt) }) };
}

const iso = (ms: number): string => new Date(ms).toISOString();
const number = (value: number): string => value.toLocaleString('en');
