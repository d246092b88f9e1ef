import { describe, expect, it } from '@jest/globals';
import { reconcile, type Evidence } from './reconcile.js';

const evidence = (parts: Partial<Evidence>): Evidence => ({
  subscription: 'plain',
  acknowledged: new Map([
    ['a', { partition: 0, offset: 1 }],
    ['b', { partition: 1, offset: 2 }],
  ]),
  isPublished: (id) => id.length === 1,
  isGone: () => false,
  isHeld: () => false,
  isDeadRange: () => false,
  delivered: new Set(['a', 'b']),
  deadLettered: new Set(),
  history: new Map([
    ['a', ['delivered']],
    ['b', ['delivered']],
  ]),
  ...parts,
});

const FINE = {
  subscription: 'plain',
  overtaken: 0,
  delivered: 2,
  deadLettered: 0,
  held: 0,
  gone: 0,
  pending: [],
  lost: [],
  both: [],
  strange: [],
  misrecorded: [],
};

describe('a reconciliation', () => {
  it('finds nothing where each has ended once', () => {
    expect(reconcile(evidence({}))).toEqual(FINE);
  });

  it('sees one that is lost, though another one that nobody published makes the sum right', () => {
    const found = reconcile(evidence({ delivered: new Set(['a', 'none']), history: new Map([['a', ['delivered']]]) }));
    expect(found).toMatchObject({ delivered: 1, lost: ['plain: b at 1:2 (history: none)'], strange: ['plain: none'] });
  });

  it('tells apart what is lost and what goes on', () => {
    const delivered = new Set<string>();
    const history = new Map([
      ['a', ['retrying']],
      ['b', ['delivered']],
    ]);
    const { pending, lost } = reconcile(evidence({ delivered, history }));
    expect(pending).toEqual(['plain: a at 0:1 (history: retrying)']);
    // History alone doesn't make it so: the endpoint has not had it.
    expect(lost).toEqual(['plain: b at 1:2 (history: delivered)']);
  });

  it('takes for held what stands where nothing is taken and did not come, and for a dead letter a range of those', () => {
    const parts = { delivered: new Set<string>(), history: new Map([['a', ['held']]]) };
    expect(reconcile(evidence({ ...parts, isHeld: ({ partition }) => partition === 1 }))).toMatchObject({
      held: 2,
      lost: [],
    });
    expect(reconcile(evidence(parts))).toMatchObject({ held: 1, lost: ['plain: b at 1:2 (history: none)'] });
    const isDeadRange = ({ partition }: { partition: number }): boolean => partition === 1;
    expect(reconcile(evidence({ ...parts, isDeadRange }))).toMatchObject({ held: 1, deadLettered: 1, lost: [] });
    expect(reconcile(evidence({ isHeld: () => true }))).toMatchObject({ delivered: 2, held: 0, overtaken: 2 });
  });

  it('takes nothing for delivered and a dead letter, nor one row for two', () => {
    const deadLettered = new Set(['a']);
    const history = new Map([
      ['a', ['delivered']],
      ['b', ['delivered', 'delivered']],
    ]);
    const { both, misrecorded } = reconcile(evidence({ deadLettered, history }));
    expect(both).toHaveLength(1);
    expect(misrecorded).toHaveLength(1);
  });
});
