import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Machine } from '../../../bench/src/report/machine.js';
import type { InFlight } from '../work-in-flight.js';

/** What came of one run. */
export interface RunResult {
  fault: string;
  seed: string;
  /** When it ended, ISO 8601. */
  at: string;
  /** That were acknowledged. */
  events: number;
  /** Publishes that were not, at their first try or a later one. */
  refusals: number;
  /** Of all subscriptions together, as the following ones. */
  delivered: number;
  deadLettered: number;
  held: number;
  pending: number;
  /** Of the events that the log let go of unread, which was said. */
  gone: number;
  lost: number;
  repeated: number;
  /** How many could have been: what was under way, or done and not committed, while workers lost partitions. */
  repeatable: number;
  /** Subscriptions made meanwhile that were acknowledged. */
  changes: number;
  inFlight: InFlight;
  /** From when it struck until it was about to be healed, ms. */
  faultMs: number;
  /** From then on until the plain endpoint had all of before and publishers were answered again, ms; null: too long. */
  recoveryMs: number | null;
  notes: string[];
  /** All of it, with the start of what it ran in, where that was not there yet; ms. */
  tookMs: number;
  /** What is wrong; empty where all is well. */
  faults: string[];
}

export type StoredResult = RunResult & { machine: Machine };

/** The results of one long undertaking, one JSON line each, so that it can be broken off and resumed. */
export class Results {
  readonly all: StoredResult[];

  /** @param resume keep what is there; it is deleted otherwise */
  constructor(
    private readonly file: string,
    resume: boolean,
  ) {
    mkdirSync(dirname(file), { recursive: true });
    if (!resume) rmSync(file, { force: true });
    this.all = existsSync(file) ? readLines(file) : [];
  }

  add(result: StoredResult): void {
    this.all.push(result);
    appendFileSync(this.file, `${JSON.stringify(result)}\n`);
  }

  /** What runs of these faults will take, going by what runs took so far, of the same fault where there are any; ms. */
  leftMs(faults: readonly string[]): number {
    const mean = (of: readonly RunResult[]): number => of.reduce((sum, { tookMs }) => sum + tookMs, 0) / of.length;
    return faults.reduce((sum, fault) => {
      const own = this.all.filter((result) => result.fault === fault);
      return sum + mean(own.length > 0 ? own : this.all);
    }, 0);
  }

  /** Whether this was run, with as many events at least; one that failed counts, however far it came. */
  has(seed: string, atLeast: number): boolean {
    return this.all.some((result) => result.seed === seed && (result.events >= atLeast || result.faults.length > 0));
  }
}

/** The last line may be cut off, where it was killed as it wrote: that run is done again. */
function readLines(file: string): StoredResult[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as StoredResult];
      } catch {
        return [];
      }
    });
}
