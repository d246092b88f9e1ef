import { waitUntil, type HooklineApi } from '@hookline/testing';
import { Plan, TYPES } from './load/plan.js';
import { EndpointLog } from './receivers/endpoint-log.js';
import { Logs } from './receivers/logs.js';
import type { ReceiversProcess } from './receivers/receivers-process.js';
import { RETRY_DELAYS, type Site } from './site/site.js';

const KNOWN_MS = 60_000;
const USUAL_MS = 20;
const FAILED = 503;
const HELLOS = 24;
const HELLO_MS = 5_000;

/** A subscription, with what its endpoint has got. */
export interface Subscribed {
  name: string;
  id: string;
  log: EndpointLog;
  /** Whether it wants events of this type. */
  wants(type: string): boolean;
  /** Its endpoint never accepts anything, and in the end it is deleted: its events are to be dead letters. */
  doomed: boolean;
}

const KINDS = [
  { name: 'plain', types: ['load.*'] },
  { name: 'ordered', types: ['load.*'], ordering: 'key' },
  { name: 'healing', types: [TYPES.rare] },
  { name: 'limited', types: [TYPES.rare], rateLimit: { perSecond: 200, burst: 20 } },
  { name: 'doomed', types: [TYPES.doomed] },
] as const;

/** A tenant of a run's own, with the subscriptions that are looked at. */
export class Scenario {
  private constructor(
    readonly tenantId: string,
    readonly apiKey: string,
    readonly api: HooklineApi,
    readonly plan: Plan,
    readonly subscriptions: readonly Subscribed[],
    readonly logs: Logs,
    private readonly run: string,
    private readonly receivers: ReceiversProcess,
  ) {}

  /** @param run its name, which no other run of this site has */
  static async prepare(site: Site, receivers: ReceiversProcess, run: string): Promise<Scenario> {
    const tenantId = await site.newTenant(run);
    const { key: apiKey } = await site.operator.createKey(tenantId, run);
    const api = site.operator.as(apiKey);
    const plan = new Plan(run);
    const logs = new Logs(receivers);
    const subscriptions: Subscribed[] = [];
    for (const { name, types, ...limits } of KINDS) {
      const path = `/${run}/${name}`;
      const url = `${receivers.url}${path.slice(1)}`;
      const { id } = await api.subscribe({ url, types: [...types, TYPES.hello], ...limits });
      const log = new EndpointLog(RETRY_DELAYS, name === 'ordered' ? (event) => plan.get(event)?.before : undefined);
      logs.add(path, log);
      const wants = (type: string): boolean =>
        types.some((wanted) => wanted === type || (wanted === 'load.*' && type.startsWith('load.')));
      subscriptions.push({ name, id, log, wants, doomed: name === 'doomed' });
    }
    const scenario = new Scenario(tenantId, apiKey, api, plan, subscriptions, logs, run, receivers);
    await scenario.untilKnown(site);
    await receivers.behave(`/${run}/healing`, FAILED, USUAL_MS);
    await receivers.behave(`/${run}/doomed`, FAILED, USUAL_MS);
    return scenario;
  }

  get(name: (typeof KINDS)[number]['name']): Subscribed {
    return this.subscriptions.find((subscribed) => subscribed.name === name) as Subscribed;
  }

  /** The endpoint that has failed all the time answers well from now on. */
  async healEndpoint(): Promise<void> {
    await this.receivers.behave(`/${this.run}/healing`, 204, USUAL_MS);
  }

  /** Until ingest knows the key, and every worker every subscription: not one event is to miss one. */
  private async untilKnown(site: Site): Promise<void> {
    const end = Date.now() + KNOWN_MS;
    for (let round = 0; !(await this.hello(site, round)); round += 1)
      if (Date.now() > end) throw new Error('the subscriptions of a run are not known yet');
    await waitUntil(async () => (await site.history.unpublished()) === 0, {
      deadlineMs: KNOWN_MS,
      what: 'the subscriptions of a run to be in their topic',
    });
  }

  /** @returns whether all of a few events, whose partitions are left to chance, came to all endpoints in a while */
  private async hello(site: Site, round: number): Promise<boolean> {
    const ids = Array.from({ length: HELLOS }, (_, n) => `${this.run}-hello-${round}-${n}`);
    const nodes = site.urlsOf('ingest').map((url) => this.api.through(url));
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
