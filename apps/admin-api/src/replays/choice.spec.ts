import { describe, expect, it } from '@jest/globals';
import { choiceOf } from './choice.js';

const STATES = [undefined, 'pending', 'retrying', 'held', 'delivered', 'dead-lettered'] as const;

/** Those that are brought: in what is held, and elsewhere. */
function brought(kind: 'replay' | 'catch-up' | 'backlog', outcome: 'all' | 'undelivered' | 'failed' = 'all'): unknown {
  const choice = choiceOf({ kind, outcome });
  return choice && [true, false].map((held) => STATES.filter((state) => choice(state, held, false)));
}

describe('what is brought, by what history knows of it', () => {
  it('by a catch-up is what is missing where it is held, and all that was under way', () => {
    const underWay = ['pending', 'retrying', 'held'];
    expect(brought('catch-up')).toEqual([[undefined, ...underWay], underWay]);
  });

  it('by a catch-up is also what was given up while the endpoint failed, and by a backlog it is not', () => {
    const of = (kind: 'catch-up' | 'backlog') => choiceOf({ kind, outcome: 'all' })?.('dead-lettered', false, true);
    expect([of('catch-up'), of('backlog')]).toEqual([true, false]);
  });

  it('by a backlog is what is held, and nothing that is under way', () => {
    expect(brought('backlog')).toEqual([[undefined, 'held'], []]);
  });

  it('by a replay is what was asked for', () => {
    expect(brought('replay')).toBeUndefined();
    const undelivered = [undefined, 'pending', 'retrying', 'held', 'dead-lettered'];
    expect(brought('replay', 'undelivered')).toEqual([undelivered, undelivered]);
    expect(brought('replay', 'failed')).toEqual([['dead-lettered'], ['dead-lettered']]);
  });
});
