import { encodeDeliveryHeaders, TOPICS } from '@hookline/contracts';
import type { Output, OffsetRange, ReadBatch } from '@hookline/kafka';
import { buriedOf, buryEach } from '../keepers/burial.js';
import type { ReplayReader } from './chosen-reader.js';
import { InFlight } from './in-flight.js';
import type { Pace } from './pace.js';
import { noteGone, type ReplayJob } from './replay-job.js';
import type { ReplayStore } from './replay-store.js';
import { positionOf, type Selected, type Selection } from './selection.js';
import type { Subscribed } from './subscribed.js';

export interface ReplayRunnerParts {
  readerFor: (job: ReplayJob) => ReplayReader;
  /** Finds out what has to be read, where whoever made the replay has not; false while that can't be known. */
  resolve: (job: ReplayJob) => Promise<boolean>;
  /** For one run. */
  openSelection: (job: ReplayJob) => Promise<Selection>;
  paceOf: (job: ReplayJob) => Pace;
  subscribedNow: (ids: readonly string[]) => Promise<Map<string, Subscribed>>;
  output: Output;
  maxInFlightBytes: number;
}

/** Between two looks at whether it can begin, ms. */
const LOOK_MS = 500;
/** Events that a dry run shows. */
const SAMPLE = 20;

/** The subscription of a catch-up was paused, disabled or deleted. */
class NotEnabled extends Error {
  override name = 'NotEnabled';
}

/**
 * Hands the events of a replay's ranges over to its lane, and saves how far it has come after each batch that Kafka
 * has acknowledged. Whoever resumes it goes on from there: what was handed over and not saved is handed over again,
 * with the same delivery ids, unless history knows by then that it is through.
 */
export class ReplayRunner {
  constructor(private readonly parts: ReplayRunnerParts) {}

  /**
   * @returns whether it is through; if not it waits for something, and its time is saved
   * @throws whatever kept it from going on; it can be resumed then
   */
  async run(job: ReplayJob, store: ReplayStore, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.goOn(job, store, signal);
    } catch (error) {
      if (!(error instanceof NotEnabled)) throw error;
      await store.finish(job, 'cancelled', error.message);
      return true;
    }
  }

  private async goOn(job: ReplayJob, store: ReplayStore, signal: AbortSignal): Promise<boolean> {
    if ((job.kind !== 'replay' || job.to === 'chosen') && !(await this.isReady(job, store))) {
      await store.putOff(job, LOOK_MS);
      return false;
    }
    const selection = await this.parts.openSelection(job);
    const pace = this.parts.paceOf(job);
    for await (const batch of this.parts.readerFor(job).read(TOPICS.events, rangesOf(job), signal)) {
      noteGone(job.result, { partition: batch.partition, from: batch.next - batch.gone, to: batch.next });
      const waitMs = await this.take(job, batch, await selection.of(batch, signal), pace, store, signal);
      if (waitMs === undefined) continue;
      await store.putOff(job, waitMs);
      return false;
    }
    await store.finish(job, 'completed', noteOf(job));
    return true;
  }

  private async isReady(job: ReplayJob, store: ReplayStore): Promise<boolean> {
    await this.nowOf(job, []);
    const wasResolved = Object.keys(job.partitions).length > 0;
    const ready = await this.parts.resolve(job);
    if (ready && !wasResolved) await store.save(job);
    return ready;
  }

  /** @returns how long to wait with the rest of the batch; undefined when there is no rest */
  private async take(
    job: ReplayJob,
    batch: ReadBatch,
    selected: readonly Selected[],
    pace: Pace,
    store: ReplayStore,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const range = job.partitions[batch.partition];
    if (range === undefined) return undefined;
    for (let at = 0, counted = 0; ;) {
      const part: Selected[] = [];
      let deliveries = 0;
      if (!job.dryRun && at < selected.length) {
        const room = await pace.room(signal);
        if ('waitMs' in room) return room.waitMs;
        for (; at < selected.length && deliveries < room.deliveries; at += 1) {
          const each = selected[at] as Selected;
          part.push(each);
          deliveries += each.deliveries.length;
        }
        await this.handOver(job, part, signal);
        await this.bury(job, part, signal);
        pace.took(deliveries);
      } else if (job.dryRun) {
        part.push(...selected);
        at = selected.length;
      }
      count(job, part);
      range.next = selected[at]?.record.offset ?? batch.next;
      const from = counted;
      while (counted < batch.records.length && (batch.records[counted]?.offset ?? 0) < range.next) counted += 1;
      job.scanned += counted - from;
      signal.throwIfAborted();
      await store.save(job);
      if (at >= selected.length) return undefined;
    }
  }

  private async handOver(job: ReplayJob, part: readonly Selected[], signal: AbortSignal): Promise<void> {
    const ids = new Set(part.flatMap(({ deliveries }) => deliveries.map(({ subscriptionId }) => subscriptionId)));
    const now = await this.nowOf(job, [...ids]);
    const inFlight = new InFlight(this.parts.maxInFlightBytes, signal);
    for (const selected of part)
      for (const { id, subscriptionId } of selected.deliveries) {
        signal.throwIfAborted();
        // What was asked for besides is not for a later catch-up to supersede: that would not bring it.
        // What a replay asked for is never superseded; what a catch-up brings is, by the next one.
        const subscribed = now.get(subscriptionId);
        const epoch = job.kind === 'replay' ? undefined : (subscribed?.epoch ?? 0);
        await inFlight.add(selected.record.value?.length ?? 0, () =>
          this.produce(job.id, selected, { id, subscriptionId, epoch, version: subscribed?.version }),
        );
      }
    await inFlight.settled();
  }

  /** Ends what would go on with this replay or not at all, and can't: its payload was expunged. */
  private async bury(job: ReplayJob, part: readonly Selected[], signal: AbortSignal): Promise<void> {
    if (!isEnding(job)) return;
    const ended = part.flatMap(({ record, event, expunged }) =>
      // They are not among what the replay has sent, and must not count as that.
      expunged.map(({ subscriptionId }) => buriedOf(subscriptionId, event, positionOf(record))),
    );
    await buryEach(this.parts.output, ended, 'expunged', signal);
  }

  /** @throws NotEnabled where it catches up for one that takes nothing any more: what is left stays held */
  private async nowOf(job: ReplayJob, ids: readonly string[]): Promise<Map<string, Subscribed>> {
    const { subscriptionId } = job;
    const now = await this.parts.subscribedNow(subscriptionId === null ? ids : [subscriptionId]);
    const status = subscriptionId === null ? 'enabled' : (now.get(subscriptionId)?.status ?? 'deleted');
    if (status !== 'enabled')
      throw new NotEnabled(`The subscription is ${status}: what was not handed over stays held.`);
    return now;
  }

  private async produce(
    replayId: string,
    { record, event }: Selected,
    { id, subscriptionId, epoch, version }: Recipient,
  ): Promise<void> {
    const headers = encodeDeliveryHeaders({
      event,
      source: positionOf(record),
      subscriptionId,
      deliveryId: id,
      attempts: 0,
      replayId,
      ...(epoch !== undefined && { epoch }),
      ...(version !== undefined && { version }),
      history: [],
    });
    await this.parts.output.produce({ topic: TOPICS.replays, key: subscriptionId, value: record.value, headers });
  }
}

/**
 * Whether what it leaves out has no other way: what a catch-up brings is superseded or held, and what a redrive brings is a
 * dead letter. Anything else is as it was.
 */
function isEnding({ kind, to, outcome }: ReplayJob): boolean {
  return kind !== 'replay' || (to === 'chosen' && outcome === 'failed');
}

/** Whom a delivery of a replay is for, and how it is when it is handed over. */
interface Recipient {
  /** The delivery's. */
  id: string;
  subscriptionId: string;
  epoch: number | undefined;
  version: number | undefined;
}

function rangesOf(job: ReplayJob): OffsetRange[] {
  return Object.entries(job.partitions).map(([partition, { next, to }]) => ({
    partition: Number(partition),
    from: next,
    to,
  }));
}

function count(job: ReplayJob, part: readonly Selected[]): void {
  const decided = part.filter(({ undecided }) => !undecided);
  if (decided.length < part.length) job.result.undecided = (job.result.undecided ?? 0) + part.length - decided.length;
  job.matched += decided.length;
  const expunged = part.reduce((sum, each) => sum + each.expunged.length, 0);
  if (expunged > 0) job.result.expunged = (job.result.expunged ?? 0) + expunged;
  if (job.dryRun)
    sample(
      job,
      decided.filter(({ deliveries }) => deliveries.length > 0),
    );
  else for (const { deliveries, before } of decided) job.sent += deliveries.length + before;
}

function sample({ result }: ReplayJob, selected: readonly Selected[]): void {
  result.sample ??= [];
  result.wouldSend ??= 0;
  for (const { record, event, deliveries } of selected) {
    result.wouldSend += deliveries.length;
    if (result.sample.length >= SAMPLE) continue;
    result.sample.push({
      id: event.id,
      type: event.type,
      partition: record.partition,
      offset: record.offset,
      at: new Date(record.timestamp).toISOString(),
      subscriptionIds: deliveries.slice(0, SAMPLE).map(({ subscriptionId }) => subscriptionId),
    });
  }
}

function noteOf({ result }: ReplayJob): string | null {
  const gone = (result.gone ?? []).reduce((sum, { from, to }) => sum + to - from, 0);
  return gone === 0 ? null : `${gone} offsets were deleted by retention before they could be read.`;
}
