import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Need } from './site/site.js';
import { Site } from './site/site.js';
import type { Job, Options } from './options.js';
import type { ReceiversProcess } from './receivers/receivers-process.js';
import type { RunResult } from './report/results.js';
import { Run } from './run.js';

/** So many events in one site make history and logs large, and every look at them slow. */
const EVENTS_OF_A_SITE = 250_000;

/** Runs one after another, in the same site for as long as that is as good as a new one. */
export class Campaign implements AsyncDisposable {
  private site: Site | undefined;
  private needs = '';
  private spent = 0;
  private runs = 0;

  constructor(
    private readonly folder: string,
    private readonly receivers: ReceiversProcess,
    private readonly options: Options,
    private readonly say: (line: string) => void,
  ) {
    mkdirSync(folder, { recursive: true });
  }

  /** Never rejects: what came in between is a fault of the run. Where there is one, the site's data stays for who looks into it. */
  async run({ fault, seed }: Job): Promise<RunResult> {
    this.runs += 1;
    const begun = Date.now();
    let result: Omit<RunResult, 'tookMs'>;
    try {
      const site = await this.siteFor(fault.needs ?? []);
      result = await new Run(site, this.receivers, fault, seed, this.options, this.say).run(`run${this.runs}`);
    } catch (error) {
      result = unfinished(fault.name, seed, error as Error, this.site?.fleet.deaths ?? []);
    }
    this.spent += result.events;
    if (result.faults.length > 0) await this.close(true);
    return { ...result, tookMs: Date.now() - begun };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close(false);
  }

  private async siteFor(needs: readonly Need[]): Promise<Site> {
    if (this.site && this.needs === needs.join() && this.spent < EVENTS_OF_A_SITE) return this.site;
    await this.close(false);
    this.needs = needs.join();
    this.spent = 0;
    this.site = await Site.open(join(this.folder, `site-${process.pid}-${this.runs}`), needs, this.say);
    return this.site;
  }

  private async close(keep: boolean): Promise<void> {
    const { site } = this;
    this.site = undefined;
    if (!site) return;
    await site[Symbol.asyncDispose]();
    if (keep) this.say(`its data and logs are kept in ${site.dataDir}`);
    else rmSync(site.dataDir, { recursive: true, force: true, maxRetries: 3 });
  }
}

function unfinished(fault: string, seed: string, error: Error, deaths: readonly string[]): Omit<RunResult, 'tookMs'> {
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  const none = {
    events: 0,
    refusals: 0,
    delivered: 0,
    deadLettered: 0,
    held: 0,
    pending: 0,
    gone: 0,
    lost: 0,
    repeated: 0,
    repeatable: 0,
  };
  return {
    ...{ fault, seed, at: new Date().toISOString(), ...none, changes: 0 },
    inFlight: { publishes: 0, attempts: 0, history: 0, changes: 0, outbox: 0 },
    ...{ faultMs: 0, recoveryMs: null, notes: [] },
    faults: [`it was not finished: ${error.message}${cause}`, ...deaths],
  };
}
