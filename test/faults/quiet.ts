import { setTimeout as pause } from 'node:timers/promises';
import { TOPICS } from '@hookline/contracts';
import type { DeadLetters } from './dead-letters.js';
import { isIn, type GoneRange } from './fault.js';
import type { Place } from './load/way.js';
import type { Scenario, Subscribed } from './scenario.js';
import type { Site } from './site/site.js';
import { behind, unrecorded } from './work-in-flight.js';

const LOOK_MS = 250;
/**
 * Nothing has moved for so long: then it never will. Longer than a session, a takeover of what is ordered, a watchdog and
 * the longest retry, one after another, on a machine that is busy.
 */
const PATIENCE_MS = 120_000;
/** When something has not come to its end already: what is still to be seen is how much else has not. */
const LITTLE_PATIENCE_MS = 20_000;

/** Longer than the pause between two looks at a retry topic that is due. */
const IDLE_MS = 3_000;

const ENDED = new Set(['delivered', 'dead-lettered']);
const ENDED_OR_HELD = new Set([...ENDED, 'held']);

/** Waits for one thing after another, for as long as something moves. */
export class Quiet {
  private patienceMs = PATIENCE_MS;

  constructor(
    private readonly site: Site,
    private readonly scenario: Scenario,
    private readonly deadLetters: DeadLetters,
    private readonly wanted: (subscribed: Subscribed) => ReadonlyMap<string, Place>,
    private readonly say: (line: string) => void,
  ) {}

  /** Until history has all events, and every change is in its topic; the doomed one is tried for ever. @returns whether they are */
  async abreast(): Promise<boolean> {
    return this.patiently(async () => {
      const events = await behind(this.site, TOPICS.events);
      return events + (await this.site.history.unpublished());
    }, 'events that history does not have yet');
  }

  /**
   * Until every endpoint has all that it is to get.
   * @param never whether a subscription will not get what stands there
   * @returns whether they have
   */
  async delivered(never: (one: Subscribed, place: Place) => boolean): Promise<boolean> {
    const subscriptions = this.scenario.subscriptions.filter(({ fate }) => fate === 'delivered');
    const missing = (one: Subscribed): number =>
      [...this.wanted(one)].filter(([id, place]) => !one.log.has(id) && !never(one, place)).length;
    return this.patiently(async () => {
      await this.scenario.logs.update();
      return subscriptions.reduce((sum, one) => sum + missing(one), 0);
    }, 'deliveries that are still to come');
  }

  /**
   * Until all that the doomed one wanted is a dead letter.
   * @param gone what no worker has read
   * @returns whether it is
   */
  async buried(gone: readonly GoneRange[]): Promise<boolean> {
    const doomed = this.scenario.get('doomed');
    const wanted = [...this.wanted(doomed)].filter(([, place]) => !isIn(place, gone));
    return this.patiently(async () => {
      await this.deadLetters.update();
      const letters = this.deadLetters.of(doomed.id);
      return wanted.filter(([id]) => !letters.has(id)).length;
    }, 'dead letters that are still to come');
  }

  /** Until what was held of these ranges, and did not come, is a dead letter for all of it. @returns whether it is */
  async letGo(ranges: readonly GoneRange[]): Promise<boolean> {
    const subscriptions = this.scenario.subscriptions.filter((one) => this.scenario.wasHeld(one));
    const { history } = this.site;
    const left = async (): Promise<number> => {
      await this.deadLetters.update();
      const counts = await Promise.all(
        subscriptions.map(async (one) => {
          const [spans, single] = await Promise.all([history.spansOf(one.id), history.heldOf(one.id)]);
          const inSpans = [...this.wanted(one).values()].filter((place) => isIn(place, spans));
          return [...inSpans, ...single].filter((place) => isIn(place, ranges)).length;
        }),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    };
    return ranges.length === 0 || this.patiently(left, 'events that are held and gone');
  }

  /** Until history has all that is in the log, and says of nothing that it goes on. @returns whether it does */
  async recorded(): Promise<boolean> {
    const { subscriptions } = this.scenario;
    const idsOf = (held: boolean): string[] =>
      subscriptions.filter(({ fate }) => (fate === 'held') === held).map(({ id }) => id);
    const [others, held] = [idsOf(false), idsOf(true)];
    return this.patiently(async () => {
      const unread = await unrecorded(this.site);
      const [open, openOfHeld] = await Promise.all([this.open(others, ENDED), this.open(held, ENDED_OR_HELD)]);
      return unread + open + openOfHeld;
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

  private async open(subscriptionIds: readonly string[], ended: ReadonlySet<string>): Promise<number> {
    const counts = await this.site.history.counts(subscriptionIds);
    return [...counts].reduce((sum, [state, count]) => sum + (ended.has(state) ? 0 : count), 0);
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
        end = Date.now() + this.patienceMs;
      }
      if (Date.now() > end) {
        this.patienceMs = LITTLE_PATIENCE_MS;
        return false;
      }
      if (Date.now() > said + 10_000) {
        this.say(`${now} ${what}`);
        said = Date.now();
      }
      await pause(LOOK_MS);
    }
  }
}
