import { TOPICS } from '@hookline/contracts';
import type { PartitionOffsets } from '@hookline/kafka';
import {
  InvalidCursor,
  OtherCluster,
  type StreamCursors,
  type StreamHistory,
  type StreamPage,
  type StreamPosition,
} from '@hookline/persistence';
import type { Clock } from '@hookline/platform';
import { tenantFor, type Caller } from '../auth/caller.js';
import { invalid } from '../http/problems.js';
import type { LogOffsets } from '../topics/log-offsets.js';
import { pageBody } from './page-body.js';
import { gapProblem, otherClusterProblem } from './stream-gap-problem.js';
import type { StreamObserver } from './stream-metrics.js';
import { assertPoll, type StreamLimits } from './stream-rules.js';
import { StreamStart } from './stream-start.js';
import type { StreamQueryFields } from './streams.schemas.js';
import type { WaitingRoom } from './waiting-room.js';

export interface StreamsParts {
  history: StreamHistory;
  cursors: StreamCursors;
  /** The one that history's positions are of; undefined while the database has not heard of it. */
  clusterId: () => Promise<string | undefined>;
  room: WaitingRoom;
  log: LogOffsets;
  clock: Clock;
  observer: StreamObserver;
}

const MS = 1_000;

/** The pull stream: a tenant's events in the order of the log of each key, for as long as history has them. */
export class StreamsService {
  private readonly start: StreamStart;

  constructor(
    private readonly parts: StreamsParts,
    private readonly limits: StreamLimits & { pageBytes: number },
  ) {
    this.start = new StreamStart(parts.log, parts.history);
  }

  /**
   * The body of an answer: a page, empty if nothing came in time or nobody waits for it any more.
   * @throws ProblemError 400 if the query or the cursor is wrong; 410 if something is gone; 429 or 503
   */
  async poll(caller: Caller, query: StreamQueryFields, signal: AbortSignal): Promise<Buffer> {
    const tenantId = tenantFor(caller, query.tenantId);
    assertPoll(query, this.limits);
    const { clock, history, cursors, observer, room } = this.parts;
    const end = clock.now() + query.wait * MS;
    const { types, limit } = query;
    const clusterId = await this.parts.clusterId();
    const cursorAt = (at: StreamPosition): string => cursors.encode(tenantId, at, clusterId);
    let position = await this.begin(tenantId, query, clusterId);
    for (let first = true; ; first = false) {
      const page = await history.read({ tenantId, types, position, limit, bytes: this.limits.pageBytes });
      if (first) await this.assertWithinLog(page);
      ({ position } = page);
      if (page.gaps.length > 0) throw await this.gap(page, cursorAt(position));
      const left = end - clock.now();
      if (page.events.length > 0 || page.more || left <= 0 || signal.aborted) {
        observer.read(page.events.length);
        return pageBody({ events: page.events, cursor: cursorAt(position), more: page.more });
      }
      const waited = await room.wait({ tenantId, types, position }, left, signal);
      ({ position } = waited);
      if (!waited.news) return pageBody({ events: [], cursor: cursorAt(position), more: false });
    }
  }

  /** Whoever waits is answered, and nobody waits any more. */
  stop(): void {
    this.parts.room.stop();
  }

  private async begin(
    tenantId: string,
    { cursor, from }: StreamQueryFields,
    clusterId: string | undefined,
  ): Promise<StreamPosition> {
    if (cursor === undefined) return this.start.position(from ?? 'latest');
    const { cursors, observer } = this.parts;
    try {
      return cursors.decode(tenantId, cursor, clusterId);
    } catch (error) {
      if (error instanceof OtherCluster) {
        const earliest = await this.start.position('earliest');
        observer.gap();
        throw otherClusterProblem(error.position, cursors.encode(tenantId, earliest, clusterId));
      }
      if (error instanceof InvalidCursor)
        throw invalid({ field: 'cursor', message: 'is not one that a poll of this tenant gave' });
      throw error;
    }
  }

  /** Further than the recorder is fine, while it is behind; further than the log is no place that ever was. */
  private async assertWithinLog({ ahead }: StreamPage): Promise<void> {
    if (ahead.size === 0) return;
    const bounds = await this.bounds();
    if (bounds === undefined) return;
    const high = new Map(bounds.map((partition) => [partition.partition, partition.high]));
    for (const [partition, next] of ahead)
      if (next > (high.get(partition) ?? 0))
        throw invalid({ field: 'cursor', message: `is beyond the end of the log, in partition ${partition}` });
  }

  private async gap({ gaps }: StreamPage, cursor: string): Promise<Error> {
    const { history, observer } = this.parts;
    observer.gap();
    const edges = await Promise.all(gaps.map((gap) => history.edges(gap)));
    return gapProblem(gaps, edges, await this.bounds(), cursor);
  }

  /** Undefined where Kafka does not answer: history can be read without it. */
  private async bounds(): Promise<PartitionOffsets[] | undefined> {
    return this.parts.log.bounds(TOPICS.events).catch(() => undefined);
  }
}
