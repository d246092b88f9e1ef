import { describeFlags, file, parseFlags, type Flags, type Values } from './flags.js';
import type { Aim } from './report/aim.js';
import type { Table } from './report/table.js';

/** Tells a person who waits what is going on. */
export type Say = (line: string) => void;

/** What a benchmark has found, for people and for programs. */
export interface Finding {
  /** What ran, and with which load, in a sentence. */
  setting: string;
  tables: Table[];
  /** Single figures and remarks. */
  notes: string[];
  aims: Aim[];
  /** What must not be: events that are lost, or repeated beyond what is allowed. Empty when all is well. */
  faults: string[];
  /** All of it as data. */
  figures: object;
}

/** A benchmark with its options read. */
export interface Prepared {
  options: object;
  /** Where the JSON goes; standard output where it is left out. */
  json: string | undefined;
  run(say: Say): Promise<Finding>;
}

export interface Bench {
  name: string;
  about: string;
  usage: string;
  /** @throws Error that names the flag */
  prepare(args: readonly string[]): Prepared;
}

interface Definition<F extends Flags> {
  name: string;
  /** What it measures, in a line. */
  about: string;
  flags: F;
  run(options: Values<F>, say: Say): Promise<Finding>;
}

const JSON_FLAG = { json: file('writes the result there instead of printing it') };

export function defineBench<F extends Flags>({ name, about, flags, run }: Definition<F>): Bench {
  const all = { ...flags, ...JSON_FLAG };
  return {
    name,
    about,
    usage: `npm run bench -- ${name} [flags]\n\n${about}\n\n${describeFlags(all)}`,
    prepare: (args) => {
      const { json, ...options } = parseFlags<Flags & typeof JSON_FLAG>(all, args);
      return { options, json, run: (say) => run(options as Values<F>, say) };
    },
  };
}
