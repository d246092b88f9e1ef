import type { DeadLetters } from './dead-letters.js';
import { isIn, type Victim } from './fault.js';
import type { Place } from './load/way.js';
import { Quiet } from './quiet.js';
import { reconcile, type Reconciliation } from './reconcile.js';
import type { RunResult } from './report/results.js';
import type { Scenario, Subscribed } from './scenario.js';

const SHOWN = 10;
const NOWHERE: Place = { partition: -1, offset: -1 };

type Found = Pick<
  RunResult,
  'delivered' | 'deadLettered' | 'held' | 'pending' | 'gone' | 'lost' | 'repeated' | 'faults'
>;

/** What has become of each event, once all is quiet. */
export class Verdict {
  /** By subscription: the acknowledged events that it wants. */
  private readonly wanted: ReadonlyMap<Subscribed, ReadonlyMap<string, Place>>;

  constructor(
    private readonly victim: Victim,
    private readonly scenario: Scenario,
    private readonly deadLetters: DeadLetters,
    private readonly say: (line: string) => void,
  ) {
    const { acknowledged } = victim.load;
    const of = (one: Subscribed): Map<string, Place> =>
      new Map([...acknowledged].filter(([id]) => one.wants(scenario.plan.get(id)?.type ?? '')));
    this.wanted = new Map(scenario.subscriptions.map((one) => [one, of(one)]));
  }

  async reach(): Promise<Found> {
    const unquiet = await this.quiet();
    const reconciled = await Promise.all(this.scenario.subscriptions.map((one) => this.reconcile(one)));
    const sum = (of: (one: Reconciliation) => number): number => reconciled.reduce((all, one) => all + of(one), 0);
    return {
      delivered: sum(({ delivered }) => delivered),
      deadLettered: sum(({ deadLettered }) => deadLettered),
      held: sum(({ held }) => held),
      pending: sum(({ pending }) => pending.length),
      gone: sum(({ gone }) => gone),
      lost: sum(({ lost }) => lost.length),
      repeated: this.scenario.subscriptions.reduce((all, { log }) => all + log.repeats, 0),
      faults: [...unquiet, ...ofReconciliations(reconciled), ...this.ofLogs(), ...(await this.ofHistory())],
    };
  }

  /** Has the doomed one deleted when the others have theirs. @returns what did not come to an end */
  private async quiet(): Promise<string[]> {
    const { site, gone } = this.victim;
    const awaited = (one: Subscribed): ReadonlyMap<string, Place> =>
      new Map([...this.of(one)].filter(([, place]) => !isIn(place, gone)));
    const ids = new Map([...this.wanted.keys()].map((one) => [one, awaited(one)]));
    const quiet = new Quiet(site, this.scenario, this.deadLetters, (one) => ids.get(one) ?? new Map(), this.say);
    const faults: string[] = [];
    if (!(await quiet.delivered())) faults.push('not everything was delivered');
    await this.scenario.api.admin('DELETE', `/v1/webhooks/subscriptions/${this.scenario.get('doomed').id}`);
    if (!(await quiet.buried())) faults.push('not everything of the doomed is a dead letter');
    if (!(await quiet.recorded())) faults.push('history does not come abreast of the log');
    if (!(await quiet.idle())) faults.push('requests go on coming');
    await this.deadLetters.update();
    return faults;
  }

  private async reconcile(one: Subscribed): Promise<Reconciliation> {
    const { plan } = this.scenario;
    return reconcile({
      subscription: one.name,
      acknowledged: this.of(one),
      isPublished: (id) => plan.get(id) !== undefined || id.includes('-hello-'),
      isGone: (place) => isIn(place, this.victim.gone),
      delivered: new Set(one.log.ids()),
      deadLettered: this.deadLetters.of(one.id),
      history: await this.victim.site.history.statesOf(one.id),
    });
  }

  private ofLogs(): string[] {
    const { load, gone } = this.victim;
    const logs = this.scenario.subscriptions.map(({ log }) => log);
    const early = logs.flatMap((log) => log.early);
    const twins = logs.flatMap((log) => log.twins);
    const disordered = logs
      .flatMap((log) => log.disordered)
      // Nothing waits for what the log has let go of.
      .filter(([, former]) => !isIn(load.acknowledged.get(former) ?? NOWHERE, gone))
      .map(([id, former]) => `${id} came, and ${former} was not there yet`);
    return [...told('early', early), ...told('out of order', disordered), ...told('delivered under two ids', twins)];
  }

  private async ofHistory(): Promise<string[]> {
    const { load, manager, site } = this.victim;
    const inHistory = await site.history.events(this.scenario.tenantId);
    const unheard = [...load.acknowledged.keys()].filter((id) => !inHistory.has(id));
    const missing = await manager.missing();
    return [...told('not in history', unheard), ...told('changes that were acknowledged and are gone', missing)];
  }

  private of(one: Subscribed): ReadonlyMap<string, Place> {
    return this.wanted.get(one) ?? new Map();
  }
}

const WRONG = {
  lost: 'lost',
  pending: 'pending after quiet',
  both: 'delivered and a dead letter',
  strange: 'never published',
  misrecorded: 'not so in history',
} as const;

function ofReconciliations(all: readonly Reconciliation[]): string[] {
  return Object.entries(WRONG).flatMap(([field, what]) => {
    const which = all.flatMap((one) => one[field as keyof typeof WRONG]);
    return told(what, which);
  });
}

/** One line for each, of which not too many; and how many there are. */
export function told(what: string, which: readonly string[]): string[] {
  if (which.length === 0) return [];
  const more = which.length > SHOWN ? [`… and ${which.length - SHOWN} more`] : [];
  return [`${which.length} ${what}:`, ...which.slice(0, SHOWN), ...more];
}
