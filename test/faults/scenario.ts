import { TOPICS } from '@hookline/contracts';
import { matchesType } from '@hookline/domain';
import { waitUntil, type HooklineApi } from '@hookline/testing';
import { insist } from './lives/insist.js';
import { Plan, TYPES } from './load/plan.js';
import { EndpointLog } from './receivers/endpoint-log.js';
import { Logs } from './receivers/logs.js';
import type { ReceiversProcess } from './receivers/receivers-process.js';
import { RETRY_DELAYS } from './site/settings.js';
import type { Site } from './site/site.js';

const KNOWN_MS = 180_000;
const USUAL_MS = 20;
/** Shorter than an attempt may take. */
const SLOW_MS = 9_000;
const ACCEPTED = 204;
const FAILED = 503;
const GONE = 410;
const HELLOS = 24;
const HELLO_MS = 5_000;

/** A subscription, with what its endpoint has got. */
export interface Subscribed {
  name: Name;
  id: string;
  log: EndpointLog;
  /** Whether it wants events of this type; `late`: only of those that stand where it has been made. */
  wants(type: string): boolean;
  /**
   * What is to become of its events. `buried`: it is deleted in the end. `held`: from some position on; before that they are
   * delivered, or dead letters where they were answered with 410.
   */
  fate: 'delivered' | 'buried' | 'held';
}

const kindsFor = (rate: number) =>
  [
    { name: 'plain', types: ['load.*'] },
    { name: 'ordered', types: ['load.*'], ordering: 'key' },
    { name: 'healing', types: [TYPES.rare] },
    { name: 'limited', types: [TYPES.rare], rateLimit: { perSecond: Math.ceil(rate / 2), burst: 20 } },
    { name: 'slow', types: [TYPES.slow] },
    { name: 'doomed', types: [TYPES.doomed], fate: 'buried' },
    { name: 'paused', types: [TYPES.rare], fate: 'held' },
    { name: 'gone', types: [TYPES.doomed], fate: 'held' },
    { name: 'resumed', types: [TYPES.rare] },
  ] as const;
export type Name = ReturnType<typeof kindsFor>[number]['name'] | 'late';
const HELD_ONCE = new Set<Name>(['paused', 'gone', 'resumed', 'late']);

/** A tenant of a run's own, with the subscriptions that are looked at. */
export class Scenario {
  private constructor(
    readonly tenantId: string,
    readonly apiKey: string,
    readonly api: HooklineApi,
    readonly plan: Plan,
    readonly subscriptions: Subscribed[],
    readonly logs: Logs,
    private readonly run: string,
    private readonly receivers: ReceiversProcess,
  ) {}

  /**
   * @param run its name, which no other run of this site has
   * @param rate events a second
   */
  static async prepare(site: Site, receivers: ReceiversProcess, run: string, rate: number): Promise<Scenario> {
    const tenantId = await site.newTenant(run);
    const { key: apiKey } = await site.operator.createKey(tenantId, run);
    const api = site.operator.as(apiKey);
    const plan = new Plan(run);
    const logs = new Logs(receivers);
    const subscriptions: Subscribed[] = [];
    for (const { name, types, ...rest } of kindsFor(rate)) {
      const { fate = 'delivered', ...limits }: typeof rest & { fate?: Subscribed['fate'] } = rest;
      const path = `/${run}/${name}`;
      const url = `${receivers.url}${path.slice(1)}`;
      const { id } = await api.subscribe({ url, types: [...types, TYPES.hello], ...limits });
      const log = new EndpointLog(RETRY_DELAYS, name === 'ordered' ? (event) => plan.get(event)?.before : undefined);
      logs.add(path, log);
      const wants = (type: string): boolean => types.some((wanted) => matchesType(wanted, type));
      subscriptions.push({ name, id, log, wants, fate });
    }
    const scenario = new Scenario(tenantId, apiKey, api, plan, subscriptions, logs, run, receivers);
    await scenario.untilKnown(site);
    await receivers.behave(`/${run}/healing`, FAILED, USUAL_MS);
    await receivers.behave(`/${run}/doomed`, FAILED, USUAL_MS);
    await receivers.behave(`/${run}/slow`, ACCEPTED, SLOW_MS);
    return scenario;
  }

  /** @throws Error where there is none, or not yet */
  get(name: Name): Subscribed {
    const found = this.subscriptions.find((subscribed) => subscribed.name === name);
    if (!found) throw new Error(`there is no subscription ${name}`);
    return found;
  }

  /** Whether something of it was held at any time. */
  wasHeld({ name }: Subscribed): boolean {
    return HELD_ONCE.has(name);
  }

  /** The endpoints that have failed or been slow all the time answer well from now on. */
  async healEndpoints(): Promise<void> {
    await this.receivers.behave(`/${this.run}/healing`, ACCEPTED, USUAL_MS);
    await this.receivers.behave(`/${this.run}/slow`, ACCEPTED, USUAL_MS);
  }

  /** That of `gone` answers so to whatever comes from now on. */
  async endpointGone(): Promise<void> {
    await this.receivers.behave(`/${this.run}/gone`, GONE, USUAL_MS);
  }

  /** One more subscription, made while events come: which of them are for it, the log says. */
  async makeLate(): Promise<void> {
    // One that is not known to be made may be there: it must not send to the path of the next.
    let tries = 0;
    const { id, path } = await insist('a subscription', async () => {
      const path = `/${this.run}/late-${++tries}`;
      const made = await this.api.subscribe({ url: `${this.receivers.url}${path.slice(1)}`, types: [TYPES.rare] });
      return { id: made.id, path };
    });
    const log = new EndpointLog(RETRY_DELAYS);
    this.logs.add(path, log);
    this.subscriptions.push({ name: 'late', id, log, wants: (type) => type !== TYPES.hello, fate: 'delivered' });
  }

  /** It takes all types from now on. */
  async widenLate(): Promise<void> {
    const { id } = this.get('late');
    const change = { types: ['load.*'] };
    await insist('a change of types', () => this.api.admin('PATCH', `/v1/webhooks/subscriptions/${id}`, change));
  }

  /** Until ingest knows the key, and every worker every subscription: not one event is to miss one. */
  private async untilKnown(site: Site): Promise<void> {
    const end = Date.now() + KNOWN_MS;
    for (let round = 0; !(await this.hello(site, round)); round += 1)
      if (Date.now() > end) throw new Error('the subscriptions of a run are not known yet');
    const ids = this.subscriptions.map((one) => one.id);
    const ends = await site.brokers.bounds(TOPICS.subscriptions);
    const areMadeUpFor = async (): Promise<boolean> => {
      const read = await site.history.versionsRead();
      if (ends.some(({ partition, high }) => (read.get(partition) ?? 0) < high)) return false;
      return (await site.history.slices(ids)) === 0;
    };
    await waitUntil(areMadeUpFor, {
      deadlineMs: KNOWN_MS,
      what: 'the subscriptions of a run to be known to all, and who learnt of them late to be made up for',
    });
  }

  /** @returns whether all of a few events, whose partitions are left to chance, came to all endpoints in a while */
  private async hello(site: Site, round: number): Promise<boolean> {
    const ids = Array.from({ length: HELLOS }, (_, n) => `${this.run}-hello-${round}-${n}`);
    const nodes = site.fleet.urlsOf('ingest').map((url) => this.api.through(url));
    const publish = (id: string, n: number): Promise<unknown> =>
      (nodes[n % nodes.length] as HooklineApi).publish({ id, type: TYPES.hello, data: null });
    return Promise.all(ids.map(publish))
      .then(() =>
        waitUntil(
          async () => {
            await this.logs.update();
            return this.subscriptions.every(({ log }) => ids.every((id) => log.has(id)));
          },
          { deadlineMs: HELLO_MS, what: 'a round of events' },
        ),
      )
      .catch(() => false);
  }
}
