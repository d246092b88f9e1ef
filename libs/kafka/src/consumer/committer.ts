import { encodeOffsetMetadata, MAX_METADATA_CHARACTERS } from '@hookline/domain';
import type { Member, TopicCommit } from './coordinator-tap.js';
import type { OwnedPartition } from './owned-partition.js';
import type { RunnerObserver } from './runner-observer.js';
import type { RunnerLogger } from './runner-options.js';

/** Where a commit goes; a session is one. */
export interface CommitTarget {
  readonly member: Member | undefined;
  commit(member: Member, topics: readonly TopicCommit[]): Promise<void>;
}

/**
 * A partition whose metadata gets longer than this part of the limit is paused until it is shorter again, or until
 * nothing is worked on there: then only reading on makes it shorter.
 */
const FULL = 0.75;

/** Commits the low watermark and what is complete above it, of the partitions where that has changed. */
export class Committer {
  private limit = MAX_METADATA_CHARACTERS;
  private outstanding: Promise<void> = Promise.resolve();

  constructor(
    private readonly logger: RunnerLogger,
    private readonly observer: RunnerObserver,
    private readonly monotonic: () => number,
    /** The reasons to pause a partition may have changed. */
    private readonly flowChanged: (partition: OwnedPartition) => void,
  ) {}

  /** Commits what has changed, after the commit that may still be out. Never throws: the next one carries it all. */
  commit(target: CommitTarget, partitions: Iterable<OwnedPartition>): Promise<void> {
    this.outstanding = this.outstanding.then(() => this.send(target, partitions));
    return this.outstanding;
  }

  private async send(target: CommitTarget, partitions: Iterable<OwnedPartition>): Promise<void> {
    // Looked at once: the request carries this membership whatever happens to the group while it is out.
    const { member } = target;
    if (member === undefined) return;
    const changed = [...partitions].filter((partition) => hasNews(partition));
    if (changed.length === 0) return;
    const versions = changed.map((partition) => partition.tracker?.version ?? -1);
    const began = this.monotonic();
    try {
      await target.commit(member, this.payload(changed));
      changed.forEach((partition, i) => (partition.committedVersion = versions[i] as number));
      this.observer.committed?.(changed.length, this.monotonic() - began);
    } catch (error) {
      this.failed(error);
    }
  }

  private payload(partitions: readonly OwnedPartition[]): TopicCommit[] {
    const topics = new Map<string, TopicCommit>();
    for (const owned of partitions) {
      const { topic, partition, tracker } = owned;
      if (tracker === undefined) continue;
      const { watermark } = tracker;
      // Always with metadata: a commit without it wipes what the last one said.
      const above = { complete: tracker.completeAbove(), remainders: tracker.remainders() };
      const { text, whole } = encodeOffsetMetadata(watermark, above, this.limit);
      this.pauseWhereFull(owned, !whole || text.length > this.limit * FULL);
      const commits = topics.get(topic) ?? { topic, partitions: [] };
      commits.partitions.push({ partition, offset: String(watermark), metadata: text });
      topics.set(topic, commits);
    }
    return [...topics.values()];
  }

  private pauseWhereFull(partition: OwnedPartition, full: boolean): void {
    if (full && partition.working > 0) partition.pauses.add('metadata');
    else partition.pauses.delete('metadata');
    this.flowChanged(partition);
  }

  private failed(error: unknown): void {
    this.observer.commitFailed?.(error);
    const type = (error as { type?: string }).type;
    if (type === 'OFFSET_METADATA_TOO_LARGE') {
      // The broker's offset.metadata.max.bytes is smaller than the default.
      this.limit = Math.floor(this.limit / 2);
      this.logger.warn({ limit: this.limit }, "the broker takes less metadata than Kafka's default: less is committed");
    } else {
      this.logger.warn({ err: error }, 'progress could not be committed; the next commit carries it');
    }
  }
}

/** Whether the broker lacks something of it. */
export function hasNews({ alive, tracker, committedVersion }: OwnedPartition): boolean {
  return alive && tracker !== undefined && tracker.version !== committedVersion;
}
