import type { GroupSession, Batch } from './group-session.js';
import type { Intake } from './intake.js';
import { OwnedPartition } from './owned-partition.js';
import type { OwnedPartitions } from './owned-partitions.js';
import { Restorer } from './restorer.js';
import type { RunnerObserver } from './runner-observer.js';
import type { RestoredProgress, RunnerOptions, RunnerSettings } from './runner-options.js';

/**
 * What the group has given to this member: each partition from the join, over the restoring of its progress, to its
 * loss. What was fetched of it goes on to the intake.
 */
export class Assignments {
  private readonly restorer: Restorer;

  constructor(
    private readonly options: RunnerOptions,
    private readonly settings: RunnerSettings,
    private readonly observer: RunnerObserver,
    private readonly owned: OwnedPartitions,
    private readonly intake: Intake,
    private readonly session: () => GroupSession | undefined,
  ) {
    const { kafka, groupId, clock, logger, positions, witness, lookBack, onAgedOut } = options;
    this.restorer = new Restorer({
      kafka,
      groupId,
      clock,
      logger,
      observer,
      positions,
      witness,
      lookBack,
      onAgedOut,
      retry: settings.retry,
      restored: (partition, progress) => this.restored(partition, progress),
      moved: (partition) => this.readFrom(partition),
      lost: (partition) => this.replace(partition, 'its position is past the end of the log'),
    });
  }

  /** Before the first fetch of a generation: what left is let go of, what is new waits for its progress. */
  joined(session: GroupSession, topics: Readonly<Record<string, number[]>>, kept: boolean): void {
    if (!kept) this.loseAll('a generation was missed');
    const assigned = Object.entries(topics).flatMap(([topic, numbers]) =>
      numbers.map((partition) => ({ topic, partition })),
    );
    const stay = new Set(assigned.map(({ topic, partition }) => this.owned.get(topic, partition)));
    for (const each of this.owned.values()) if (!stay.has(each)) this.revoke(each, 'it was given to another member');
    const added: OwnedPartition[] = [];
    for (const { topic, partition } of assigned) {
      const own = this.owned.get(topic, partition);
      // kafkajs would begin at the committed offset again, and deliver all that is in flight.
      if (own === undefined) added.push(this.own(session, topic, partition));
      else if (own.tracker !== undefined) session.seek(topic, partition, own.fetchFrom);
    }
    this.observer.joined?.(assigned.length);
    this.options.logger.info(
      { group: this.options.groupId, partitions: assigned.length, added: added.length },
      'joined',
    );
    void this.restorer.restore(added);
  }

  loseAll(reason: string): void {
    for (const each of this.owned.values()) this.revoke(each, reason);
  }

  /** Its position is not in the log any more, or not yet: it is asked for again. */
  outOfRange(topic: string, partition: number): void {
    const owned = this.owned.get(topic, partition);
    if (owned === undefined || owned.pauses.has('restoring')) return;
    owned.pauses.add('restoring');
    this.intake.apply(owned);
    void this.restorer.restore([owned]);
  }

  /** @returns whether the batch was taken; what isn't, is fetched again */
  take(session: GroupSession, batch: Batch): boolean {
    const owned = this.owned.get(batch.topic, batch.partition);
    if (owned?.tracker === undefined || owned.pauses.has('restoring')) return false;
    const { fetchedOffset } = batch as Batch & { fetchedOffset: string };
    if (Number(fetchedOffset) > owned.fetchFrom) {
      // An answer from before a seek: what lies between would be skipped.
      session.seek(owned.topic, owned.partition, owned.fetchFrom);
      return false;
    }
    owned.offer(batch);
    owned.resting = owned.isFetched && this.options.mayRest?.(owned.topic) === true;
    this.intake.apply(owned);
    return true;
  }

  /** All at once: one fetch looks at all of them. */
  wakeResting(): void {
    for (const each of this.owned.values()) {
      if (!each.resting) continue;
      each.resting = false;
      this.intake.apply(each);
    }
  }

  /** Gives up what is in flight of it, asks again where it starts, and reads it from there. */
  replace(partition: OwnedPartition, reason: string): void {
    const session = this.session();
    if (session === undefined || !partition.alive) return;
    this.revoke(partition, reason);
    void this.restorer.restore([this.own(session, partition.topic, partition.partition)]);
  }

  private own(session: GroupSession, topic: string, partition: number): OwnedPartition {
    const { options, settings, intake } = this;
    const looksBack = options.lookBack !== undefined;
    const added = new OwnedPartition(topic, partition, settings.highWater, looksBack, () => intake.setAside());
    this.owned.add(added);
    session.pause(topic, partition);
    return added;
  }

  private restored(partition: OwnedPartition, progress: RestoredProgress): void {
    try {
      this.options.onAssigned?.(partition, progress);
    } catch (error) {
      this.options.logger.error({ err: error }, 'onAssigned failed');
    }
    this.readFrom(partition);
  }

  /** Its position is known: it may be fetched. */
  private readFrom(partition: OwnedPartition): void {
    if (!partition.alive) return;
    this.session()?.seek(partition.topic, partition.partition, partition.fetchFrom);
    partition.pauses.delete('restoring');
    this.intake.apply(partition);
  }

  private revoke(partition: OwnedPartition, reason: string): void {
    if (!this.owned.remove(partition)) return;
    partition.revoke(reason);
    this.intake.recount();
    try {
      this.options.onRevoked?.(partition);
    } catch (error) {
      this.options.logger.error({ err: error }, 'onRevoked failed');
    }
  }
}
