import { setTimeout as pause } from 'node:timers/promises';
import { DeadLetters } from './dead-letters.js';
import type { Fault, GoneRange, Victim } from './fault.js';
import { Manager } from './load/manager.js';
import { Publishers } from './load/publishers.js';
import { HttpWay } from './load/http-way.js';
import { OutboxWay } from './load/outbox-way.js';
import type { Place, Way } from './load/way.js';
import { Quiet } from './quiet.js';
import { Chance } from './random.js';
import type { ReceiversProcess } from './receivers/receivers-process.js';
import { reconcile, type Reconciliation } from './reconcile.js';
import type { RunResult } from './report/results.js';
import { Scenario, type Subscribed } from './scenario.js';
import type { Site } from './site/site.js';
import { findWork, type InFlight } from './work-in-flight.js';

export interface RunOptions {
  /** Acknowledged events at least. */
  events: number;
  /** A second, over all publishers. */
  rate: number;
  publishers: number;
}

const LOOK_MS = 100;
const LOAD_MS = 600_000;
const ACKNOWLEDGED_MS = 180_000;
const RECOVERED_MS = 240_000;
const SHOWN = 10;
/** Of the events: published before and during the fault; the rest after it. */
const FIRST_PART = 0.85;

/** One fault, struck once at a random moment of a load, and everything reconciled after it. */
export class Run {
  private readonly chance: Chance;
  private readonly notes: string[] = [];

  constructor(
    private readonly site: Site,
    private readonly receivers: ReceiversProcess,
    private readonly fault: Fault,
    /** Of this run alone: from it comes every choice that is left to chance. */
    private readonly seed: string,
    private readonly options: RunOptions,
    private readonly say: (line: string) => void,
  ) {
    this.chance = new Chance(seed);
  }

  /** @param name which no other run of this site has */
  async run(name: string): Promise<RunResult> {
    const { site, say } = this;
    const deathsBefore = site.deaths.length;
    say('a tenant and its subscriptions');
    const scenario = await Scenario.prepare(site, this.receivers, name);
    const deadLetters = new DeadLetters(site);
    await deadLetters.begin();
    const manager = new Manager(scenario.api, this.receivers.url);
    const load = new Publishers(
      {
        wayOf: (publisher) => this.wayOf(publisher, scenario),
        publishers: this.options.publishers,
        rate: this.options.rate,
        events: Math.floor(this.options.events * FIRST_PART),
      },
      scenario.plan,
    );
    const victim: Victim = {
      site,
      chance: this.chance,
      load,
      manager,
      note: (text) => this.notes.push(text),
      gone: [],
    };
    const isGone = (place: Place): boolean => isIn(place, victim.gone);
    const struck = await this.strike(victim, scenario);
    await Promise.all([load.stop(ACKNOWLEDGED_MS), manager.stop()]);
    say(`${load.acknowledged.size} acknowledged; waiting for quiet`);

    const wantedBy = new Map(scenario.subscriptions.map((one) => [one, wanted(one, scenario, load)]));
    const wantedOf = (one: Subscribed): ReadonlyMap<string, Place> => wantedBy.get(one) as Map<string, Place>;
    const awaited = new Map([...wantedBy].map(([one, ids]) => [one, without(ids, isGone)]));
    const quiet = new Quiet(site, scenario, deadLetters, (one) => awaited.get(one) as Map<string, Place>, say);
    const delivered = await quiet.delivered();
    await scenario.api.admin('DELETE', `/v1/webhooks/subscriptions/${scenario.get('doomed').id}`);
    const buried = await quiet.buried();
    const recorded = await quiet.recorded();
    const idle = await quiet.idle();
    await deadLetters.update();
    const faults: string[] = [];
    for (const [isSo, what] of [
      [delivered, 'not everything was delivered'],
      [buried, 'not everything of the doomed is a dead letter'],
      [recorded, 'history does not come abreast of the log'],
      [idle, 'requests go on coming'],
    ] as const)
      if (!isSo) faults.push(what);

    const reconciled: Reconciliation[] = [];
    for (const one of scenario.subscriptions) {
      reconciled.push(
        reconcile({
          subscription: one.name,
          acknowledged: wantedOf(one),
          isPublished: (id) => scenario.plan.get(id) !== undefined || id.includes('-hello-'),
          isGone,
          delivered: new Set(one.log.ids()),
          deadLettered: deadLetters.of(one.id),
          history: await site.history.statesOf(one.id),
        }),
      );
    }
    const inHistory = await site.history.events(scenario.tenantId);
    const unheard = [...load.acknowledged.keys()].filter((id) => !inHistory.has(id));
    faults.push(
      ...told(
        'lost',
        reconciled.flatMap(({ lost }) => lost),
      ),
      ...told(
        'pending after quiet',
        reconciled.flatMap(({ pending }) => pending),
      ),
      ...told(
        'delivered and a dead letter',
        reconciled.flatMap(({ both }) => both),
      ),
      ...told(
        'never published',
        reconciled.flatMap(({ strange }) => strange),
      ),
      ...told(
        'not so in history',
        reconciled.flatMap(({ misrecorded }) => misrecorded),
      ),
      ...told('not in history', unheard),
      ...told(
        'early',
        scenario.subscriptions.flatMap(({ log }) => log.early),
      ),
      ...told(
        'out of order',
        scenario.subscriptions.flatMap(({ log }) => log.disordered),
      ),
      ...told(
        'delivered under two ids',
        scenario.subscriptions.flatMap(({ log }) => log.twins),
      ),
      ...told('changes that were acknowledged and are gone', await manager.missing()),
      ...told('ended by itself', site.deaths.slice(deathsBefore)),
    );
    const repeated = scenario.subscriptions.reduce((sum, { log }) => sum + log.repeats, 0);
    if (this.fault.repeatsNothing && repeated > 0) this.notes.push(`${repeated} repeats, where none were expected`);
    const sum = (of: (one: Reconciliation) => number): number => reconciled.reduce((all, one) => all + of(one), 0);
    return {
      fault: this.fault.name,
      seed: this.seed,
      at: new Date().toISOString(),
      events: load.acknowledged.size,
      refusals: load.refusals,
      delivered: sum((one) => one.delivered),
      deadLettered: sum((one) => one.deadLettered),
      held: sum((one) => one.held),
      gone: sum((one) => one.gone),
      pending: sum((one) => one.pending.length),
      lost: new Set(reconciled.flatMap(({ lost }) => lost)).size,
      repeated,
      changes: manager.acknowledged.length,
      ...struck,
      notes: this.notes,
      faults,
    };
  }

  /** Where there is an outbox, every second publisher writes to that. */
  private wayOf(publisher: number, { tenantId, apiKey }: Scenario): Way {
    const { site } = this;
    if (site.outbox && publisher % 2 === 0) return new OutboxWay(site.outbox, tenantId);
    return new HttpWay(site.urlsOf('ingest'), apiKey, publisher);
  }

  /** Has it strike while the load goes on, waits until all that was accepted by its end is through, and goes on a while. */
  private async strike(victim: Victim, scenario: Scenario): Promise<Struck> {
    const { fault, chance, say } = this;
    const { load } = victim;
    const moment = Math.floor((this.options.events * chance.between(15, 45)) / 100);
    say(`load; the fault comes after ${moment} events`);
    await this.untilAcknowledged(moment, load, scenario);
    await pause(chance.between(0, 999));
    const inFlight = await findWork(fault.finds, victim, scenario);
    const seconds = chance.between(...fault.lasts);
    say(`strikes with ${JSON.stringify(inFlight)} in flight, for ${seconds} s`);
    const struckAt = Date.now();
    const heal = await fault.strike(victim);
    await this.watch(struckAt + seconds * 1_000, scenario);
    const before = new Map(load.acknowledged);
    const healing = Date.now();
    const healed = heal().then(() => {
      say(`healed in ${Date.now() - healing} ms; the load goes on`);
      return scenario.healEndpoint();
    });
    const [recoveredAt] = await Promise.all([this.untilThrough(before, victim, scenario), healed]);
    const rest = this.options.events - Math.min(load.acknowledged.size, Math.floor(this.options.events * FIRST_PART));
    load.more(rest);
    await this.untilAcknowledged(load.acknowledged.size + rest, load, scenario);
    return {
      inFlight,
      faultMs: healing - struckAt,
      recoveryMs: recoveredAt === undefined ? null : recoveredAt - healing,
    };
  }

  private async untilAcknowledged(count: number, load: Publishers, scenario: Scenario): Promise<void> {
    const end = Date.now() + LOAD_MS;
    while (load.acknowledged.size < count) {
      if (Date.now() > end) throw new Error(`${load.acknowledged.size} of ${count} events were acknowledged in time`);
      await scenario.logs.update();
      await pause(LOOK_MS);
    }
  }

  private async watch(until: number, scenario: Scenario): Promise<void> {
    while (Date.now() < until) {
      await scenario.logs.update();
      await pause(LOOK_MS);
    }
  }

  /** @returns when the endpoint that is never refused anything had all of these; undefined where that took too long */
  private async untilThrough(
    before: ReadonlyMap<string, Place>,
    { gone }: Victim,
    scenario: Scenario,
  ): Promise<number | undefined> {
    const { log } = scenario.get('plain');
    const end = Date.now() + RECOVERED_MS;
    const left = new Map(before);
    while (Date.now() < end) {
      await scenario.logs.update();
      for (const [id, place] of left) if (log.has(id) || isIn(place, gone)) left.delete(id);
      if (left.size === 0) return Date.now();
      await pause(LOOK_MS);
    }
    this.notes.push(`${left.size} events were not through ${RECOVERED_MS / 1_000} s after the fault`);
    return undefined;
  }
}

interface Struck {
  inFlight: InFlight;
  faultMs: number;
  recoveryMs: number | null;
}

function wanted(one: Subscribed, { plan }: Scenario, load: Publishers): Map<string, Place> {
  return new Map([...load.acknowledged].filter(([id]) => one.wants(plan.get(id)?.type ?? '')));
}

const isIn = ({ partition, offset }: Place, ranges: readonly GoneRange[]): boolean =>
  ranges.some((range) => range.partition === partition && range.from <= offset && offset < range.to);

const without = (ids: ReadonlyMap<string, Place>, isGone: (place: Place) => boolean): Map<string, Place> =>
  new Map([...ids].filter(([, place]) => !isGone(place)));

/** One line for each, of which not too many; and how many there are. */
function told(what: string, which: readonly string[]): string[] {
  if (which.length === 0) return [];
  const more = which.length > SHOWN ? [`… and ${which.length - SHOWN} more`] : [];
  return [`${which.length} ${what}:`, ...which.slice(0, SHOWN), ...more];
}
