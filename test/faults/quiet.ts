import { setTimeout as pause } from 'node:timers/promises';
import type { DeadLetters } from './dead-letters.js';
import type { Place } from './load/way.js';
import type { Scenario, Subscribed } from './scenario.js';
import type { Site } from './site/site.js';
import { unrecorded } from './work-in-flight.js';

const LOOK_MS = 250;
/**
 * Nothing has moved for so long: then it never will. Longer than a session, a takeover of what is ordered, a watchdog and
 * the longest retry, one after another, on a machine that is busy.
 */
const PATIENCE_MS = 120_000;

/** Longer than the pause between two looks at a retry topic that is due. */
const IDLE_MS = 3_000;

const ENDED = new Set(['delivered', 'dead-lettered']);

/** Waits for one thing after another, for as long as something moves. */
export class Quiet {
  constructor(
    private readonly site: Site,
    private readonly scenario: Scenario,
    private readonly deadLetters: DeadLetters,
    private readonly wanted: (subscribed: Subscribed) => ReadonlyMap<string, Place>,
    private readonly say: (line: string) => void,
  ) {}

  /** Until every endpoint but that of the doomed has all that it is to get. @returns whether it has */
  async delivered(): Promise<boolean> {
    const subscriptions = this.scenario.subscriptions.filter(({ doomed }) => !doomed);
    return this.patiently(async () => {
      await this.scenario.logs.update();
      return subscriptions.reduce((sum, one) => sum + missing(this.wanted(one), one.log), 0);
    }, 'deliveries that are still to come');
  }

  /** Until all that the doomed one wanted is a dead letter. @returns whether it is */
  async buried(): Promise<boolean> {
    const doomed = this.scenario.get('doomed');
    const ids = this.wanted(doomed);
    return this.patiently(async () => {
      await this.deadLetters.update();
      const letters = this.deadLetters.of(doomed.id);
      return [...ids.keys()].filter((id) => !letters.has(id)).length;
    }, 'dead letters that are still to come');
  }

  /** Until history has all that is in the log, and says of nothing that it goes on. @returns whether it does */
  async recorded(): Promise<boolean> {
    const ids = this.scenario.subscriptions.map(({ id }) => id);
    return this.patiently(async () => {
      const behind = await unrecorded(this.site);
      const counts = await this.site.history.counts(ids);
      const open = [...counts].filter(([state]) => !ENDED.has(state));
      return open.reduce((sum, [, count]) => sum + count, behind);
    }, 'records and deliveries that history has still open');
  }

  /** Until no request is in flight, and none has come for a while. */
  async idle(): Promise<boolean> {
    let before = -1;
    let since = Date.now();
    return this.patiently(async () => {
      await this.scenario.logs.update();
      const { requests, open } = this.scenario.logs;
      if (requests !== before) since = Date.now();
      before = requests;
      return open + (Date.now() - since < IDLE_MS ? 1 : 0);
    }, 'requests in flight');
  }

  /** @param left how much is left; 0 ends it */
  private async patiently(left: () => Promise<number>, what: string): Promise<boolean> {
    let best = Infinity;
    let end = Infinity;
    let said = Date.now();
    for (;;) {
      const now = await left().catch(() => Infinity);
      if (now === 0) return true;
      if (now < best || end === Infinity) {
        best = now;
        end = Date.now() + PATIENCE_MS;
      }
      if (Date.now() > end) return false;
      if (Date.now() > said + 10_000) {
        this.say(`${now} ${what}`);
        said = Date.now();
      }
      await pause(LOOK_MS);
    }
  }
}

function missing(wanted: ReadonlyMap<string, Place>, log: Subscribed['log']): number {
  let count = 0;
  for (const id of wanted.keys()) if (!log.has(id)) count += 1;
  return count;
}
