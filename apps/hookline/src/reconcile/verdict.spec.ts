import { describe, expect, it } from '@jest/globals';
import { TOLD } from './pair-table.js';
import { verdictOf, type Facts } from './verdict.js';

const NOTHING: Facts = {
  kind: 'taken',
  told: TOLD.nothing,
  byLetter: false,
  inLane: false,
  inRange: false,
  isOpen: false,
  isCaughtUp: false,
  isDue: false,
  isTold: true,
};

describe('the state of a delivery', () => {
  it.each<[string, Partial<Facts>, string, string]>([
    ['delivered, whatever else has it', { told: TOLD.delivered, inLane: true, isOpen: true }, 'delivered', 'outcome'],
    ['dead by its letter alone', { told: TOLD.dead, byLetter: true }, 'dead-lettered', 'dead-letter'],
    ['dead, and replayed since', { told: TOLD.dead, inLane: true }, 'pending', 'lane'],
    ['told as handed over, with its event open', { told: TOLD.waits, isOpen: true }, 'pending', 'event'],
    ['not told yet, with its event open', { isOpen: true }, 'pending', 'event'],
    ['held, and let go of with its range', { kind: 'held', inRange: true }, 'dead-lettered', 'dead-letter-range'],
    ['held where it waited', { told: TOLD.held }, 'held', 'outcome'],
    ['held where it stands', { kind: 'held', isOpen: true }, 'held', 'position'],
    ['superseded by a catch-up', { told: TOLD.waits, isCaughtUp: true }, 'pending', 'catch-up'],
    ['never taken up, which no catch-up brings', { isCaughtUp: true }, 'missing', 'none'],
    ['left out by a late learner', { isDue: true }, 'pending', 'late-slice'],
    ['of a time whose versions are forgotten', { kind: 'unclear' }, 'unknown', 'versions-forgotten'],
    ['of a time that attempts do not reach', { isTold: false }, 'unknown', 'attempts-aged-out'],
    ['told as handed over, and nobody has it', { told: TOLD.waits }, 'missing', 'none'],
    ['matched, and nobody ever heard of it', {}, 'missing', 'none'],
  ])('%s', (_, facts, state, proof) => {
    expect(verdictOf({ ...NOTHING, ...facts })).toEqual({ state, proof });
  });
});
