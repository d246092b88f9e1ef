import type { MatchKind } from './matching.js';
import { TOLD, type Told } from './pair-table.js';

/** `unknown`: what would tell is not in the log any more. `missing`: it has no end, and nobody has it. */
export type EndState = 'delivered' | 'dead-lettered' | 'held' | 'pending' | 'unknown' | 'missing';

/** What proves the state, or why it can't be told. */
export type Proof =
  /** The latest outcome in `hookline.attempts` says so. */
  | 'outcome'
  /** A dead letter of its own. */
  | 'dead-letter'
  /** A dead letter of a range of offsets. */
  | 'dead-letter-range'
  /** The version of its subscription that holds at its position takes nothing. */
  | 'position'
  /** A lane has a record of it that its group has not completed. */
  | 'lane'
  /** Its event lies at or above what the events' group has completed. */
  | 'event'
  /** A catch-up has superseded what a lane had, and brings it. */
  | 'catch-up'
  /** A worker had not heard of the version that takes it; the slice keeper brings it. */
  | 'late-slice'
  /** Retention has deleted a part of `hookline.attempts` that may have told. */
  | 'attempts-aged-out'
  /** The versions of its subscription that held there are forgotten. */
  | 'versions-forgotten'
  /** It was missing in the last look, but not in the one before. */
  | 'seen-once'
  | 'none';

export interface Verdict {
  state: EndState;
  proof: Proof;
}

/** What is known of one event and one subscription. */
export interface Facts {
  kind: MatchKind;
  told: Told;
  byLetter: boolean;
  /** A lane has an open record of it, of after the end that was told, if one was. */
  inLane: boolean;
  inRange: boolean;
  /** Its event is not complete for the events' group. */
  isOpen: boolean;
  /** A catch-up reads it, as far as the log knows. */
  isCaughtUp: boolean;
  /** The keeper of late learners may still have it before it. */
  isDue: boolean;
  /** Whatever was told of it since its last word is still in `hookline.attempts`. */
  isTold: boolean;
}

/** The one state that the facts prove. What carries a delivery now comes before what was told, and that before what would bring it. */
export function verdictOf(facts: Facts): Verdict {
  const { kind, told, inLane, inRange, isOpen } = facts;
  if (told === TOLD.delivered) return verdict('delivered', 'outcome');
  if (inLane) return verdict('pending', 'lane');
  if (told === TOLD.dead) return verdict('dead-lettered', facts.byLetter ? 'dead-letter' : 'outcome');
  if (told === TOLD.waits && isOpen) return verdict('pending', 'event');
  if (inRange) return verdict('dead-lettered', 'dead-letter-range');
  if (told === TOLD.held) return verdict('held', 'outcome');
  // Also where a worker that heard of the pause late had begun to hand it over, and another one took its place.
  if (kind === 'held') return verdict('held', 'position');
  if (told === TOLD.nothing && isOpen) return verdict('pending', 'event');
  if (told === TOLD.waits && facts.isCaughtUp) return verdict('pending', 'catch-up');
  if (told === TOLD.nothing && facts.isDue) return verdict('pending', 'late-slice');
  if (told === TOLD.nothing && kind === 'unclear') return verdict('unknown', 'versions-forgotten');
  if (!facts.isTold) return verdict('unknown', 'attempts-aged-out');
  return verdict('missing', 'none');
}

const verdict = (state: EndState, proof: Proof): Verdict => ({ state, proof });
