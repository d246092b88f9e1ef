import type { Client, Delivery, Published } from './client.js';
import type { Endpoint, Received } from './endpoint.js';
import type { Narrator } from './narrator.js';
import { until } from './until.js';

/** What the tour sets, so that a day's work fits into half a minute. */
export const DELAYS_MS = [1_000, 2_000, 4_000];
export const WINDOW_MS = 10_000;

const DEADLINE_MS = 60_000;
const MATCHING = 50;
const HELLO = 'tour.hello';
const WANTED = 'order.created';
const UNWANTED = 'invoice.paid';

/** The tour's steps, each of which is checked. What the endpoint received is the truth. */
export class Tour {
  private subscriptionId = '';

  constructor(
    private readonly client: Client,
    private readonly endpoint: Endpoint,
    private readonly narrator: Narrator,
  ) {}

  /** @throws StepFailed */
  async run(): Promise<void> {
    await this.subscribe();
    await this.deliverMatching();
    await this.retry();
    const missed = await this.miss();
    const replayed = await this.replay(missed);
    await this.history(replayed);
  }

  private async subscribe(): Promise<void> {
    const { narrator, client, endpoint } = this;
    narrator.step(`A subscription to ${WANTED}`);
    const types = [WANTED, HELLO];
    const { id, secret } = await client.subscribe(endpoint.url, types);
    this.subscriptionId = id;
    endpoint.secret = secret;
    narrator.say(`${id} sends ${types.join(' and ')} to ${endpoint.url}`);
    // Workers hear of it over Kafka, within a second.
    await until('a first webhook', DEADLINE_MS, async () => {
      await client.publish([{ type: HELLO, data: {} }]);
      return endpoint.received.length > 0 ? true : undefined;
    });
    narrator.check('the endpoint gets its first webhook', true);
  }

  private async deliverMatching(): Promise<void> {
    const { narrator, client, endpoint } = this;
    narrator.step('A hundred events of two types are published');
    const published = await client.publish(
      Array.from({ length: 2 * MATCHING }, (_, i) => ({
        id: `first-${i}`,
        type: i % 2 === 0 ? WANTED : UNWANTED,
        data: { number: i, note: 'the endpoint gets these bytes as they are' },
      })),
    );
    const partitions = new Set(published.map(({ partition }) => partition));
    narrator.say(`answered 202: each is in the log, in one of its partitions ${[...partitions].sort().join(', ')}`);
    const expected = published.filter((_, i) => i % 2 === 0).map(({ id }) => id);
    await this.untilAccepted(expected);
    const got = endpoint.received.filter(({ type }) => type !== HELLO);
    narrator.check(
      `the endpoint has exactly the ${MATCHING} that match`,
      same(
        got.map(({ eventId }) => eventId),
        expected,
      ),
    );
    narrator.check(
      'each of their signatures is genuine',
      endpoint.received.every(({ genuine }) => genuine),
    );
  }

  private async retry(): Promise<void> {
    const { narrator, client, endpoint } = this;
    narrator.step('The endpoint fails for a while');
    endpoint.failing = true;
    const published = await client.publish(
      Array.from({ length: 5 }, (_, i) => ({ id: `retried-${i}`, type: WANTED, data: { i } })),
    );
    const ids = published.map(({ id }) => id);
    await until('two failed attempts of each', DEADLINE_MS, () =>
      ids.every((id) => this.attemptsOf(id).length >= 2) ? true : undefined,
    );
    endpoint.failing = false;
    narrator.say('it answered 500 to two attempts at each of five events, and is well again');
    await this.untilAccepted(ids);
    narrator.check('the retries bring all five', true);
    const early = ids.flatMap((id) => earlyOnes(this.attemptsOf(id)));
    narrator.check(
      `none came before it was due (${DELAYS_MS.map((ms) => `${ms / 1_000} s`).join(', ')})`,
      early.length === 0,
      early,
    );
  }

  private async miss(): Promise<Published[]> {
    const { narrator, client, endpoint } = this;
    narrator.step('The endpoint is killed, and misses fifty events');
    await endpoint.kill();
    const before = endpoint.received.length;
    const published = await client.publish(
      Array.from({ length: MATCHING }, (_, i) => ({ id: `missed-${i}`, type: WANTED, data: { i } })),
    );
    narrator.say(`it is tried for ${WINDOW_MS / 1_000} s (a day, outside of this tour)…`);
    const dead = await until('the dead letters', DEADLINE_MS, async () => {
      const found = await client.deliveries(this.subscriptionId, 'dead-lettered');
      return found.length >= MATCHING ? found : undefined;
    });
    const ids = published.map(({ id }) => id);
    narrator.check(
      `exactly these ${MATCHING} are dead-lettered`,
      same(
        dead.map(({ event }) => event.id),
        ids,
      ),
      dead.length,
    );
    narrator.check(
      'because their time is over',
      dead.every(({ reason }) => reason === 'expired'),
    );
    narrator.check('the endpoint got none of them', endpoint.received.length === before);
    return published;
  }

  private async replay(missed: Published[]): Promise<Received[]> {
    const { narrator, client, endpoint } = this;
    narrator.step('It comes back, and a replay from an offset brings what it missed');
    await endpoint.open();
    const before = endpoint.received.length;
    const offsets: Record<string, number> = {};
    for (const { partition, offset } of missed) offsets[partition] = Math.min(offsets[partition] ?? Infinity, offset);
    const { id } = await client.startReplay(offsets, this.subscriptionId);
    narrator.say(`${id} reads hookline.events from ${JSON.stringify(offsets)} (partition: offset)`);
    await until('the replay', DEADLINE_MS, async () => {
      const { status, delivered } = await client.replay(id);
      return status === 'completed' && delivered >= MATCHING ? true : undefined;
    });
    const got = endpoint.received.slice(before);
    const ids = missed.map((event) => event.id);
    narrator.check(
      `each of the ${MATCHING} came exactly once`,
      same(
        got.map(({ eventId }) => eventId),
        ids,
      ),
      got.length,
    );
    narrator.check(
      'with the id of the replay',
      got.every(({ replayId }) => replayId === id),
    );
    narrator.check(
      'with a genuine signature',
      got.every(({ genuine }) => genuine),
    );
    return got;
  }

  private async history(replayed: Received[]): Promise<void> {
    const { narrator, client } = this;
    narrator.step('The history shows each attempt');
    const deliveries: Delivery[] = [];
    for (const { id } of replayed) deliveries.push(await client.delivery(id));
    narrator.check(
      'all fifty are delivered now',
      deliveries.every(({ state }) => state === 'delivered'),
    );
    narrator.check(
      'each shows the attempts that found nobody, and then the one that the replay made',
      deliveries.every(({ attempts }) => isWholeStory(attempts)),
      deliveries.find(({ attempts }) => !isWholeStory(attempts)),
    );
    const [first] = deliveries;
    narrator.say(`for instance ${first?.id}, ${first?.event.id}:`);
    for (const { number, startedAt, status, error, replayId } of first?.attempts ?? [])
      narrator.say(
        `  ${String(number).padStart(2)}  ${startedAt}  ${status ?? error}${replayId ? `  ${replayId}` : ''}`,
      );
  }

  private async untilAccepted(ids: readonly string[]): Promise<void> {
    await until(`${ids.length} webhooks`, DEADLINE_MS, () => {
      const accepted = new Set(this.endpoint.received.filter(({ accepted: yes }) => yes).map(({ eventId }) => eventId));
      return ids.every((id) => accepted.has(id)) ? true : undefined;
    });
  }

  private attemptsOf(eventId: string): Received[] {
    return this.endpoint.received.filter((request) => request.eventId === eventId);
  }
}

/** The same texts, each as often. */
function same(found: readonly string[], expected: readonly string[]): boolean {
  return [...found].sort().join('\n') === [...expected].sort().join('\n');
}

/** A retry is due its delay after the attempt before it had failed, which is after that one had come. */
function earlyOnes(attempts: readonly Received[]): object[] {
  return attempts.slice(1).flatMap(({ at, eventId, attempt }, i) => {
    const afterMs = at - (attempts[i] as Received).at;
    const delayMs = DELAYS_MS[Math.min(i, DELAYS_MS.length - 1)] as number;
    return afterMs < delayMs ? [{ eventId, attempt, afterMs }] : [];
  });
}

function isWholeStory(attempts: Delivery['attempts']): boolean {
  const last = attempts.at(-1);
  const failed = attempts.slice(0, -1);
  return (
    failed.length >= 3 &&
    failed.every(({ error, replayId }) => error !== null && !replayId) &&
    !!last?.replayId &&
    last.status === 204
  );
}
