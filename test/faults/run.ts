import { setTimeout as pause } from 'node:timers/promises';
import { DeadLetters } from './dead-letters.js';
import { isIn, type Fault, type Victim } from './fault.js';
import { Lives } from './lives/lives.js';
import { Manager } from './load/manager.js';
import { Publishers } from './load/publishers.js';
import { HttpWay } from './load/http-way.js';
import { OutboxWay } from './load/outbox-way.js';
import type { Place, Way } from './load/way.js';
import { Chance } from './random.js';
import type { ReceiversProcess } from './receivers/receivers-process.js';
import { committedMs, type Loose } from './repeats.js';
import type { RunResult } from './report/results.js';
import { Scenario } from './scenario.js';
import { SESSION_MS } from './site/settings.js';
import type { Site } from './site/site.js';
import { told, Verdict } from './verdict.js';
import { findWork, type InFlight } from './work-in-flight.js';

export interface RunOptions {
  /** Acknowledged events at least. */
  events: number;
  /** A second, over all publishers. */
  rate: number;
  publishers: number;
}

const LOOK_MS = 100;
/** So many acknowledged events come before anything is done to subscriptions. */
const LIVES_AFTER = 20;
const LOAD_MS = 600_000;
const ACKNOWLEDGED_MS = 180_000;
const RECOVERED_MS = 240_000;
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
  async run(name: string): Promise<Omit<RunResult, 'tookMs'>> {
    const { site, say } = this;
    const deathsBefore = site.fleet.deaths.length;
    say('a tenant and its subscriptions');
    const scenario = await Scenario.prepare(site, this.receivers, name, this.options.rate);
    const deadLetters = new DeadLetters(site);
    await deadLetters.begin();
    const manager = new Manager(scenario.api, this.receivers.url);
    const load = this.load(scenario);
    const note = (text: string): void => void this.notes.push(text);
    const victim: Victim = { site, chance: this.chance, load, manager, note, gone: [], letGo: [] };
    const lives = new Lives(site, scenario, load, this.chance);
    const { struckAt, slowestMs, ...struck } = await this.strike(victim, scenario, lives);
    await Promise.all([load.stop(ACKNOWLEDGED_MS), manager.stop()]);
    say(`${load.acknowledged.size} acknowledged; waiting for quiet`);
    const found = await new Verdict({
      victim,
      scenario,
      lives,
      deadLetters,
      loose: () => this.loose(struckAt, slowestMs),
      say,
    }).reach();
    const deaths = told('ended by itself', site.fleet.deaths.slice(deathsBefore));
    return {
      fault: this.fault.name,
      seed: this.seed,
      at: new Date().toISOString(),
      events: load.acknowledged.size,
      refusals: load.refusals,
      changes: manager.acknowledged.length,
      ...found,
      ...struck,
      notes: this.notes,
      faults: [...found.faults, ...deaths],
    };
  }

  private load(scenario: Scenario): Publishers {
    const { events, publishers, rate } = this.options;
    const wayOf = (publisher: number): Way => this.wayOf(publisher, scenario);
    return new Publishers({ wayOf, publishers, rate, events: Math.floor(events * FIRST_PART) }, scenario.plan);
  }

  /** Where there is an outbox, every second publisher writes to that. */
  private wayOf(publisher: number, { tenantId, apiKey }: Scenario): Way {
    const { site } = this;
    if (site.outbox && publisher % 2 === 0) return new OutboxWay(site.outbox, tenantId);
    return new HttpWay(site.fleet.urlsOf('ingest'), apiKey, publisher);
  }

  /** Has it strike while the load goes on, waits until all that was accepted by its end is through, and goes on a while. */
  private async strike(victim: Victim, scenario: Scenario, lives: Lives): Promise<Struck> {
    const { fault, chance, say } = this;
    const { load } = victim;
    const moment = Math.floor((this.options.events * chance.between(15, 45)) / 100);
    say(`load; the fault comes after ${moment} events`);
    await this.untilAcknowledged(Math.min(moment, LIVES_AFTER), load, scenario);
    await lives.begin();
    await this.untilAcknowledged(moment, load, scenario);
    await pause(chance.between(0, 999));
    const inFlight = await findWork(fault.finds, victim, scenario);
    const seconds = chance.between(...fault.lasts);
    say(`strikes with ${JSON.stringify(inFlight)} in flight, for ${seconds} s`);
    const [struckAt, { slowestMs }] = [Date.now(), load];
    const heal = await fault.strike(victim);
    lives.duringFault();
    await this.watch(struckAt + seconds * 1_000, scenario);
    const before = new Map(load.acknowledged);
    const healing = Date.now();
    const healed = heal().then(async () => {
      say(`healed in ${Date.now() - healing} ms; the load goes on`);
      await Promise.all([scenario.healEndpoints(), lives.afterFault()]);
    });
    const [recoveredAt] = await Promise.all([this.untilThrough(before, victim, scenario), healed]);
    const rest = this.options.events - Math.min(load.acknowledged.size, Math.floor(this.options.events * FIRST_PART));
    load.more(rest);
    await this.untilAcknowledged(load.acknowledged.size + rest, load, scenario);
    return {
      inFlight,
      faultMs: healing - struckAt,
      recoveryMs: recoveredAt === undefined ? null : recoveredAt - healing,
      struckAt,
      slowestMs,
    };
  }

  /**
   * When workers were losing partitions: at first because of the fault, for as long as a membership outlives it, and then
   * and before that whenever they say so.
   */
  private loose(struckAt: number, slowestMs: number): Loose {
    const unrest = this.site
      .unrest()
      .map(({ from, to }) => ({ from: to < struckAt ? from : Math.max(from, struckAt), to }));
    const spans = this.fault.repeatsNothing ? unrest : [{ from: struckAt, to: struckAt + SESSION_MS }, ...unrest];
    return { spans, committedMs: committedMs(slowestMs) };
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

  /** @returns when the plain endpoint had all of these and publishers were answered again; undefined where that took too long */
  private async untilThrough(
    before: ReadonlyMap<string, Place>,
    { gone, load }: Victim,
    scenario: Scenario,
  ): Promise<number | undefined> {
    const { log } = scenario.get('plain');
    const end = Date.now() + RECOVERED_MS;
    const left = new Map(before);
    while (Date.now() < end) {
      await scenario.logs.update();
      for (const [id, place] of left) if (log.has(id) || isIn(place, gone)) left.delete(id);
      if (left.size === 0 && load.acknowledged.size > before.size) return Date.now();
      await pause(LOOK_MS);
    }
    this.notes.push(`${left.size} events of before were not through ${RECOVERED_MS / 1_000} s after the fault`);
    return undefined;
  }
}

interface Struck {
  inFlight: InFlight;
  faultMs: number;
  recoveryMs: number | null;
  struckAt: number;
  /** Of the publishes before that. */
  slowestMs: number;
}
