import { randomBytes } from 'node:crypto';
import { describeFlags, parseFlags, whole, type Flag, type Values } from '../../bench/src/flags.js';
import type { Fault } from './fault.js';
import { FAULTS } from './kinds/all.js';

const text = (about: string): Flag<string | undefined> => ({ about, fallback: undefined, read: (value) => value });

const FLAGS = {
  fault: text('the names of those to run, comma-separated; all by default'),
  runs: whole(3, 'how often each of them, each time at another moment'),
  // With the runs of each more than 20,000.
  events: whole(7_000, 'acknowledged events of each run at least'),
  rate: whole(800, 'events a second'),
  publishers: whole(32, 'concurrent publishers'),
  seed: text('what every random choice comes from; printed, and random by default'),
  results: text('the file of the results, where not .hookline/faults/results.jsonl'),
  again: text('the seed of a single run, as a result names it: does that run alone'),
};

/** Those that are said without a value. */
const SWITCHES = {
  '--resume': 'goes on with what an earlier call has begun: what has been run is not run again',
  '--write': 'writes docs/reliability.md from the results',
  '--list': 'names the faults',
};

export interface Job {
  fault: Fault;
  seed: string;
}

export type Options = Values<typeof FLAGS> & { resume: boolean; write: boolean; list: boolean };

/** @throws Error that says which flag is wrong */
export function parseOptions(args: readonly string[]): Options {
  const given = (name: string): boolean => args.includes(name);
  const valued = parseFlags(
    FLAGS,
    args.filter((arg) => !(arg in SWITCHES)),
  );
  return { ...valued, resume: given('--resume'), write: given('--write'), list: given('--list') };
}

/** What is to be run. @throws Error that names a fault which there isn't */
export function jobsOf({ fault: names, runs, again }: Options, seed: string): Job[] {
  if (again !== undefined) return [{ fault: faultNamed(again.split('/').at(-2) ?? ''), seed: again }];
  const faults = names === undefined ? FAULTS : names.split(',').map(faultNamed);
  return alike(faults).flatMap((fault) =>
    Array.from({ length: runs }, (_, n) => ({ fault, seed: `${seed}/${fault.name}/${n + 1}` })),
  );
}

/** Those that need the same one after another: they are run in the same site. */
function alike(faults: readonly Fault[]): Fault[] {
  const needs = [...new Set(faults.map(needsOf))];
  return faults.toSorted((a, b) => needs.indexOf(needsOf(a)) - needs.indexOf(needsOf(b)));
}

const needsOf = ({ needs = [] }: Fault): string => needs.join();

export const newSeed = (): string => randomBytes(4).toString('hex');

export function usage(): string {
  const switches = Object.entries(SWITCHES).map(([name, about]) => `  ${name.padEnd(22)} ${about}\n`);
  return `npm run test:faults -- [flags]\n\n${describeFlags(FLAGS)}${switches.join('')}`;
}

export function listing(): string {
  const widest = Math.max(...FAULTS.map(({ name }) => name.length));
  return FAULTS.map(({ name, about }) => `  ${name.padEnd(widest)}  ${about}\n`).join('');
}

function faultNamed(name: string): Fault {
  const found = FAULTS.find((fault) => fault.name === name);
  if (!found) throw new Error(`There is no fault ${name}; there are\n${listing()}`);
  return found;
}
