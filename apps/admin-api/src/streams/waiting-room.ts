import { matchesType } from '@hookline/domain';
import type { StreamHistory, StreamNews, StreamPosition } from '@hookline/persistence';
import { ProblemError, type Clock } from '@hookline/platform';

export interface WaitingClient {
  tenantId: string;
  /** Exact types, `prefix.*` or `*`. */
  types: readonly string[];
  /** What it has looked over already. */
  position: StreamPosition;
}

export interface Waited {
  /** Something may have come for it. */
  news: boolean;
  /** Further than before where others' events were looked over meanwhile. */
  position: StreamPosition;
}

interface Waiter extends WaitingClient {
  position: Map<number, number>;
  settle(news: boolean): void;
  fail(error: unknown): void;
}

export interface WaitingLimits {
  pollMs: number;
  /** In this process, and of one tenant. */
  waiting: number;
  tenantWaiting: number;
}

/**
 * Where clients wait for events. One look serves all of them: it asks where the recorder is and, only where it has moved
 * on, which tenants and types have come; so what waiting costs the database does not grow with how many wait. Whoever
 * is not concerned moves on past what was looked over, and never has to look at it again.
 */
export class WaitingRoom {
  private readonly waiters = new Set<Waiter>();
  private cancelLook: (() => void) | undefined;
  private looking = false;
  private stopped = false;

  constructor(
    private readonly history: Pick<StreamHistory, 'recorded' | 'news'>,
    private readonly clock: Clock,
    private readonly limits: WaitingLimits,
  ) {}

  get size(): number {
    return this.waiters.size;
  }

  /**
   * Resolves when something has come, when the time is over (ms), when the signal says that nobody waits for it any
   * more, and at once when the room is closed.
   * @throws ProblemError 503 or 429 where there is no room; 503 where the database does not answer
   */
  wait(client: WaitingClient, ms: number, signal: AbortSignal): Promise<Waited> {
    if (this.stopped || signal.aborted) return Promise.resolve({ news: false, position: client.position });
    this.assertRoom(client.tenantId);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.waiters.delete(waiter);
        cancel();
        signal.removeEventListener('abort', over);
        if (this.waiters.size === 0) this.rest();
      };
      const waiter: Waiter = {
        ...client,
        position: new Map(client.position),
        settle: (news) => {
          leave();
          resolve({ news, position: waiter.position });
        },
        fail: (error) => {
          leave();
          reject(error as Error);
        },
      };
      const over = (): void => waiter.settle(false);
      const cancel = this.clock.after(ms, over);
      signal.addEventListener('abort', over, { once: true });
      this.waiters.add(waiter);
      this.schedule();
    });
  }

  /** Everybody goes, with nothing; whoever comes later goes at once. */
  stop(): void {
    this.stopped = true;
    for (const waiter of this.waiters) waiter.settle(false);
  }

  private assertRoom(tenantId: string): void {
    const { waiting, tenantWaiting } = this.limits;
    let ofTenant = 0;
    for (const waiter of this.waiters) if (waiter.tenantId === tenantId) ofTenant += 1;
    if (ofTenant >= tenantWaiting)
      throw busy(429, `${tenantWaiting} polls of one tenant may wait in one process at a time.`);
    if (this.waiters.size >= waiting) throw busy(503, `${waiting} polls may wait in one process at a time.`);
  }

  private schedule(): void {
    if (this.looking || this.waiters.size === 0) return;
    this.cancelLook ??= this.clock.after(this.limits.pollMs, () => void this.look());
  }

  private rest(): void {
    this.cancelLook?.();
    this.cancelLook = undefined;
  }

  private async look(): Promise<void> {
    this.cancelLook = undefined;
    this.looking = true;
    const waiters = [...this.waiters];
    try {
      const recorded = await this.history.recorded();
      const from = lowest(waiters, recorded);
      if ([...recorded].some(([partition, next]) => next > (from.get(partition) as number)))
        tell(waiters, await this.history.news(from, [...new Set(waiters.map(({ tenantId }) => tenantId))]));
    } catch (error) {
      for (const waiter of waiters) waiter.fail(error);
    } finally {
      this.looking = false;
      this.schedule();
    }
  }
}

/** By partition that the recorder has, what every one of them has looked over. */
function lowest(waiters: readonly Waiter[], recorded: StreamPosition): Map<number, number> {
  const lowestOf = (partition: number): number =>
    waiters.reduce((low, { position }) => Math.min(low, position.get(partition) ?? 0), Infinity);
  return new Map([...recorded.keys()].map((partition) => [partition, lowestOf(partition)]));
}

/** One that has gone meanwhile does not hear it. */
function tell(waiters: readonly Waiter[], news: readonly StreamNews[]): void {
  for (const waiter of waiters)
    if (news.some((one) => concerns(one, waiter))) waiter.settle(true);
    else
      for (const { partition, upto } of news)
        if (upto > (waiter.position.get(partition) ?? 0)) waiter.position.set(partition, upto);
}

function concerns({ gap, found }: StreamNews, { tenantId, types }: WaitingClient): boolean {
  return (
    gap || found.some((one) => one.tenantId === tenantId && types.some((pattern) => matchesType(pattern, one.type)))
  );
}

function busy(status: 429 | 503, detail: string): ProblemError {
  return new ProblemError(
    status,
    'too-many-waiting',
    'Too many polls are waiting for events',
    { detail: `${detail} Poll again later, or without \`wait\`.` },
    { 'retry-after': '5' },
  );
}
