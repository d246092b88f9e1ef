import type { PartitionOffsets } from '@hookline/kafka';
import type { Missed, Subscription } from '@hookline/persistence';
import type { AskedCatchUp } from './catch-up-request.js';
import type { HeldPositions, HeldRange, HeldSpan } from './held-positions.js';
import type { CatchUpView, HeldView } from './subscriptions.schemas.js';

type Bounds = ReadonlyMap<number, PartitionOffsets> | undefined;
type Ranges = Record<string, HeldRange>;

/** What is shown of what subscriptions have not got. */
export class HeldViews {
  /** @param retentionMs how long the log keeps an event */
  constructor(
    private readonly positions: HeldPositions,
    private readonly retentionMs: number,
  ) {}

  /** By subscription, for those of which something is held. */
  async of(rows: readonly Subscription[]): Promise<Map<string, HeldView>> {
    const spans = bySubscription(await this.positions.spans(rows.map(({ id }) => id)));
    const held = rows.filter((row) => !isTaking(row) || spans.has(row.id));
    if (held.length === 0) return new Map();
    const bounds = spans.size === 0 ? undefined : await this.positions.bounds();
    const ranges = held.map(({ id }) => (spans.get(id) ?? []).map((span) => rangesOf(span, bounds)));
    const letGo = await this.letGo(ranges);
    return new Map(
      held.map((row, index) => {
        const own = spans.get(row.id) ?? [];
        const shown = ranges[index] ?? [];
        const view: HeldView = {
          reason: reasonOf(row, own),
          since: (own[0]?.since ?? row.disabledAt ?? row.updatedAt).toISOString(),
          spans: shown,
          events: sum(shown),
          letGoAt: letGo[index] ?? null,
        };
        return [row.id, view];
      }),
    );
  }

  /**
   * What a catch-up would send now.
   * @param asked the one that was just asked for
   */
  async preview(row: Subscription, asked?: AskedCatchUp): Promise<CatchUpView> {
    const from = asked?.from;
    const missedSince = asked?.missedSince ?? row.missedSince?.getTime();
    const [bounds, spans, waiting, since, missed] = await Promise.all([
      this.positions.bounds(),
      this.positions.spans([row.id]),
      this.positions.waiting(row.id),
      from === undefined ? undefined : this.positions.at(from),
      missedSince === undefined ? new Map<number, Missed>() : this.positions.missed(row.id, missedSince, from),
    ]);
    const begins = new Map(waiting?.first);
    const begin = (partition: number, offset: number): void => {
      begins.set(partition, Math.min(offset, begins.get(partition) ?? Infinity));
    };
    for (const [partition, { first }] of missed ?? []) begin(partition, first);
    if (from === undefined)
      for (const span of spans)
        for (const [partition, offset] of Object.entries(span.from)) begin(Number(partition), offset);
    else for (const [partition, offset] of since ?? []) begin(partition, offset);
    const partitions = rangesOf({ from: Object.fromEntries(begins), to: null }, bounds);
    const { held, pending, retrying } = waiting ?? { held: 0, pending: 0, retrying: 0 };
    const deadLettered = [...(missed ?? []).values()].reduce((count, each) => count + each.count, 0);
    const [letGoAt = null] = await this.letGo([[partitions]]);
    return {
      replayId: asked?.replayId ?? null,
      partitions,
      events: sum([partitions]),
      deliveries: waiting && missed ? { held, pending, retrying, deadLettered } : null,
      letGoAt,
    };
  }

  /** For each subscription; null where history does not know any of its events. */
  private async letGo(held: readonly (readonly Ranges[])[]): Promise<(string | null)[]> {
    const positions = held.flatMap((spans, owner) =>
      spans.flatMap((ranges) =>
        Object.entries(ranges).map(([partition, range]) => ({ owner, partition: Number(partition), ...range })),
      ),
    );
    // A bulk of subscriptions that were paused together have the same positions.
    const asked = new Map(positions.map((position) => [keyOf(position), position]));
    const times = await this.positions.appendedAt([...asked.values()]);
    const known = new Map([...asked.keys()].map((key, index) => [key, times[index]?.getTime()]));
    const first: number[] = held.map(() => Infinity);
    for (const position of positions) {
      const { owner } = position;
      first[owner] = Math.min(first[owner] as number, known.get(keyOf(position)) ?? Infinity);
    }
    return first.map((at) => (at === Infinity ? null : new Date(at + this.retentionMs).toISOString()));
  }
}

function bySubscription(spans: readonly HeldSpan[]): Map<string, HeldSpan[]> {
  const grouped = new Map<string, HeldSpan[]>();
  for (const span of spans) {
    const own = grouped.get(span.subscriptionId);
    if (own === undefined) grouped.set(span.subscriptionId, [span]);
    else own.push(span);
  }
  return grouped;
}

function isTaking({ status, heldBack }: Subscription): boolean {
  return status === 'enabled' && !heldBack;
}

/** Why it takes nothing now; of one that does, why what it has not got was held. */
function reasonOf(row: Subscription, spans: readonly HeldSpan[]): HeldView['reason'] {
  if (row.status === 'paused') return 'paused';
  if (row.status === 'disabled') return row.disabledReason ?? 'owner';
  return row.heldBack ? 'backlog' : ((spans[0]?.reason ?? 'owner') as HeldView['reason']);
}

/** What of a span the log still has, as far as the log can be asked. */
function rangesOf({ from, to }: Pick<HeldSpan, 'from' | 'to'>, bounds: Bounds): Ranges {
  return Object.fromEntries(
    Object.entries(from).map(([partition, offset]) => {
      const bound = bounds?.get(Number(partition));
      const end = to?.[partition] ?? bound?.high ?? null;
      const begin = Math.max(offset, bound?.low ?? 0);
      return [partition, { from: end === null ? begin : Math.min(begin, end), to: end }];
    }),
  );
}

/** An upper bound, for the subscription may not match all of them; null where an end isn't known. */
function sum(spans: readonly Ranges[]): number | null {
  let events = 0;
  for (const { from, to } of spans.flatMap((ranges) => Object.values(ranges))) {
    if (to === null) return null;
    events += to - from;
  }
  return events;
}

function keyOf({ partition, from, to }: HeldRange & { partition: number }): string {
  return `${partition}:${from}-${to}`;
}
