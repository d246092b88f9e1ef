import { encodeDeliveryHeaders, encodeOutcome, TOPICS } from '@hookline/contracts';
import type { Output, RangeReader, ReadBatch } from '@hookline/kafka';
import type { DeliveryStates, ExpungedPayloads, Queryable, Session } from '@hookline/persistence';
import type { Clock, Logger } from '@hookline/platform';
import { InFlight } from '../replays/in-flight.js';
import type { LogBounds } from '../replays/resolve-ranges.js';
import { buriedOf, buryEach } from './burial.js';
import type { Keeper } from './keepers.js';
import { decidedAmong } from '../replays/decided-among.js';
import { SilentMatches } from './silent-matches.js';
import { sharedRanges, SliceMatcher, type Candidate } from './slice-reading.js';
import { isRead, Slices, type Slice, type SliceRange } from './slices.js';

export interface SliceKeeperParts {
  database: Queryable;
  log: LogBounds;
  reader: RangeReader;
  states: DeliveryStates;
  payloads: Pick<ExpungedPayloads, 'among'>;
  output: Output;
  clock: Clock;
  logger: Logger;
}

export interface SliceKeeperLimits {
  /** Slices that are read together at most. */
  slices: number;
  /** Events that one round reads at most. */
  events: number;
  /** Until what was not decided is looked at again, ms. */
  againMs: number;
  /** How long whoever has matched an event may take until something is known of the delivery, ms. */
  silentMs: number;
  /** Bytes that wait for Kafka at most. */
  inFlightBytes: number;
}

/**
 * Brings what late learners have left out: for each version that takes more than the one before, the events from where it
 * holds to where every worker knew of it, as far as it takes them and history knows of no delivery. An event that no
 * worker has decided yet holds its slice up, for whoever reads it knows of the version, or has not said yet what it
 * matched. So does one that was matched and of whose delivery nothing is known: {@link SilentMatches}.
 */
export class SliceKeeper implements Keeper {
  readonly name = 'slice-keeper';
  private readonly silent: SilentMatches;

  constructor(
    private readonly parts: SliceKeeperParts,
    private readonly limits: SliceKeeperLimits,
  ) {
    this.silent = new SilentMatches(parts.clock, limits.silentMs);
  }

  async round(session: Session, signal: AbortSignal): Promise<void> {
    this.silent.prune();
    const store = new Slices(session);
    const due = await store.due(this.limits.slices);
    if (due.length === 0) return;
    await this.place(due);
    // Nothing was published meanwhile: there is nothing to read.
    await store.save(due.filter(isRead), 0);
    const open = due.filter((slice) => !isRead(slice));
    const matcher = new SliceMatcher(open);
    const ranges = sharedRanges(open);
    const starts = new Map(ranges.map(({ partition, from }) => [partition, from]));
    let read = 0;
    for await (const batch of this.parts.reader.read(TOPICS.events, ranges, signal)) {
      await this.take(batch, starts.get(batch.partition) ?? 0, open, matcher, signal);
      starts.set(batch.partition, batch.next);
      await store.save(open, this.limits.againMs);
      read += batch.records.length;
      if (read >= this.limits.events) return;
    }
  }

  /** Finds where they end, and leaves out what the log has let go of. */
  private async place(slices: readonly Slice[]): Promise<void> {
    const unplaced = slices.filter(({ partitions }) => partitions === null);
    const bounds = new Map((await this.parts.log.bounds(TOPICS.events)).map((bound) => [bound.partition, bound]));
    const last = unplaced.reduce((max, { endsAt }) => Math.max(max, endsAt), 0);
    // One question for all of them: what is after a slice's own end is decided with it, and costs the reading only.
    const ends = unplaced.length > 0 ? await this.parts.log.at(TOPICS.events, last) : new Map<number, number>();
    for (const slice of unplaced) {
      slice.partitions = {};
      for (const [partition, to] of ends) {
        const from = slice.versions.find(({ version }) => version === slice.version)?.holdsFrom[partition] ?? 0;
        if (from < to) slice.partitions[partition] = { next: from, to };
      }
    }
    for (const { partitions, subscriptionId } of slices)
      for (const [partition, range] of Object.entries(partitions ?? {})) {
        const low = Math.min(bounds.get(Number(partition))?.low ?? 0, range.to);
        if (low <= range.next) continue;
        this.parts.logger.error(
          { subscription: subscriptionId, partition: Number(partition), from: range.next, to: low },
          'the log let go of events before it was known who had matched them',
        );
        range.next = low;
      }
  }

  /** @param start of the batch; a slice that is behind it is held up, and goes on in another round */
  private async take(
    batch: ReadBatch,
    start: number,
    slices: readonly Slice[],
    matcher: SliceMatcher,
    signal: AbortSignal,
  ): Promise<void> {
    const rangeOf = ({ partitions }: Slice): SliceRange | undefined => partitions?.[batch.partition];
    const moving = slices.filter((slice) => (rangeOf(slice)?.next ?? 0) >= start);
    const candidates = matcher.candidates(batch).filter(({ slice }) => (rangeOf(slice)?.next ?? 0) >= start);
    const { chosen, heldUp } = await this.choose(candidates);
    const expunged = await this.expungedAmong(chosen);
    const inFlight = new InFlight(this.limits.inFlightBytes, signal);
    for (const each of chosen.filter(({ position }) => !expunged.has(position.offset)))
      await inFlight.add(each.record.value?.length ?? 0, () => this.handOver(each));
    await inFlight.settled();
    const left = chosen
      .filter(({ position }) => expunged.has(position.offset))
      .map(({ slice, event, position }) => buriedOf(slice.subscriptionId, event, position));
    await buryEach(this.parts.output, left, 'expunged', signal);
    for (const slice of moving) {
      const range = rangeOf(slice);
      if (range) range.next = Math.max(range.next, Math.min(heldUp.get(slice) ?? batch.next, range.to));
    }
  }

  /** Those that nobody is at; a slice goes no further than to the first event of which that is not known yet. */
  private async choose(candidates: readonly Candidate[]): Promise<{ chosen: Candidate[]; heldUp: Map<Slice, number> }> {
    const [decided, states] = await Promise.all([
      decidedAmong(
        this.parts.database,
        candidates.map(({ position }) => position),
      ),
      this.parts.states.of(
        candidates.map(({ deliveryId, position }) => ({ id: deliveryId, at: position.at })),
        null,
      ),
    ]);
    const heldUp = new Map<Slice, number>();
    const chosen = candidates.filter(({ slice, position, deliveryId }) => {
      const decision = decided.get(position.offset);
      if (decision !== undefined && (decision.duplicate || states.has(deliveryId))) return false;
      // Asked also behind where a slice is held up: they all are silent from now on, and not one after the other.
      const isOpen =
        decision === undefined || (decision.matched.has(slice.subscriptionId) && !this.silent.isAbandoned(deliveryId));
      if (isOpen && !heldUp.has(slice)) heldUp.set(slice, position.offset);
      return !heldUp.has(slice);
    });
    return { chosen, heldUp };
  }

  /** Of one partition, in the order of the log: what somebody had expunged is not sent anew, and ends so. */
  private expungedAmong(chosen: readonly Candidate[]): Promise<ReadonlySet<number>> {
    return this.parts.payloads.among(chosen.map(({ position }) => position));
  }

  /** Into the lane first: what history says of it must be so. */
  private async handOver({ slice, record, event, position, deliveryId }: Candidate): Promise<void> {
    const { subscriptionId, epoch } = slice;
    const headers = encodeDeliveryHeaders({
      event,
      source: position,
      subscriptionId,
      deliveryId,
      attempts: 0,
      ...(epoch === 0 ? {} : { epoch }),
      history: [],
    });
    await this.parts.output.produce({ topic: TOPICS.deliveries, key: subscriptionId, value: record.value, headers });
    await this.parts.output.produce({
      topic: TOPICS.attempts,
      value: encodeOutcome({
        v: 1,
        tenant: event.tenant,
        eventId: event.id,
        type: event.type,
        source: position,
        delivery: { id: deliveryId, subscriptionId, state: 'pending' },
      }),
    });
  }
}
