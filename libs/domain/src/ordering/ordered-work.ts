import type { LogPosition } from '@hookline/contracts';

/** One event on its way to one subscription that wants its keys in order. */
export interface OrderedEvent {
  /** The subscription, and the replay it belongs to: a replay is a stream of its own. */
  readonly group: string;
  /** The event's ordering key. */
  readonly key: string;
  /** Where the event stands in `hookline.events`: what order is about. */
  readonly source: LogPosition;
  /** The subscription's epoch when it was matched; undefined where no catch-up supersedes it. */
  readonly epoch?: number | undefined;
}

/** A record of a lane that carries it. The same event may be in several: after a crash, or while owners change. */
export interface OrderedWork extends OrderedEvent {
  /** The lane's topic; with the offset, what this record is known by. */
  readonly lane: string;
  readonly offset: number;
  /** Whether the lane is a retry tier, to which the owner itself moves what waits. */
  readonly fromTier: boolean;
  /** Attempts made before this record was written. */
  readonly attempts: number;
  /** When it may go at the earliest, ms since the epoch; 0: at once. */
  readonly dueAt: number;
}

/** A record as the scan sees it. */
export type FoundRecord = Omit<OrderedWork, 'attempts'>;

/** What the gate wants done. */
export type GateVerdict<W extends OrderedWork> =
  /** It is its key's turn: to be attempted now, and told of with {@link OrderingGate.finished}. */
  | { readonly kind: 'go'; readonly work: W }
  /** The event is carried by another record, or through already: this record ends without an outcome of its own. */
  | { readonly kind: 'drop'; readonly work: W }
  /** It is to be written to a tier without an attempt, and told of with {@link OrderingGate.finished}. */
  | {
      readonly kind: 'move';
      readonly work: W;
      /** When its turn may come, ms from now. */
      readonly waitMs: number;
      /** Its key's first event waits in a tier: there is no use in coming back before that one does. */
      readonly behind: boolean;
    };

/** How an attempt or a move ended. */
export type Finished =
  /** Delivered, or in the dead letters: the next one of its key is free. */
  | { readonly kind: 'passed' }
  /** Written to a tier; it comes back so much later. */
  | { readonly kind: 'away'; readonly forMs: number }
  /** Nothing became of it; the same record is given to {@link OrderingGate.arrive} again. */
  | { readonly kind: 'again' };
