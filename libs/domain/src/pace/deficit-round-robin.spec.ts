import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DeficitRoundRobin } from './deficit-round-robin.js';

interface Parcel {
  readonly flow: string;
  readonly cost: number;
  readonly number: number;
}

const QUANTUM = 100;
const MOST = 350;

describe('DeficitRoundRobin', () => {
  it('serves a quantum of each flow in turn', () => {
    const turns = new DeficitRoundRobin<string>(10);
    for (const item of ['a1', 'a2', 'a3']) turns.push('a', item, 5);
    for (const item of ['b1', 'b2']) turns.push('b', item, 10);
    expect(drain(turns)).toEqual(['a1', 'a2', 'b1', 'a3', 'b2']);
  });

  it('keeps for its next turns what a flow could not use, so that an item above the quantum has its turn too', () => {
    const turns = new DeficitRoundRobin<string>(10);
    turns.push('a', 'large', 25);
    for (const item of ['b1', 'b2', 'b3']) turns.push('b', item, 10);
    expect(drain(turns)).toEqual(['b1', 'b2', 'large', 'b3']);
  });

  it('goes on with the turn of a flow whose last item is put back before the next is asked for', () => {
    const turns = new DeficitRoundRobin<string>(10);
    turns.push('one door', 'a', 5);
    for (const item of ['b1', 'b2', 'b3', 'b4']) turns.push('many doors', item, 5);
    const served = Array.from({ length: 8 }, () => {
      const item = turns.shift() as string;
      turns.push(item === 'a' ? 'one door' : 'many doors', item, 5);
      return item;
    });
    expect(served).toEqual(['a', 'a', 'b1', 'b2', 'a', 'a', 'b3', 'b4']);
  });

  it('forgets a flow that has nothing, and what it had left', () => {
    const turns = new DeficitRoundRobin<string>(10);
    turns.push('a', 'small', 1);
    expect(drain(turns)).toEqual(['small']);
    turns.push('a', 'large', 12);
    turns.push('b', 'b1', 1);
    expect(drain(turns)).toEqual(['b1', 'large']);
    expect(turns.size).toBe(0);
  });

  it('refuses a quantum with which no turn would ever come', () => {
    expect(() => new DeficitRoundRobin(0)).toThrow(RangeError);
  });

  it('loses nothing, invents nothing and keeps the order within each flow', () => {
    const step = fc.oneof(
      fc.record({ flow: fc.constantFrom('a', 'b', 'c', 'd'), cost: fc.nat(MOST) }),
      fc.constant('shift' as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const turns = new DeficitRoundRobin<Parcel>(QUANTUM);
        const model = new Map<string, Parcel[]>();
        let size = 0;
        const check = (parcel: Parcel | undefined): void => {
          if (parcel === undefined) return expect(size).toBe(0);
          expect(model.get(parcel.flow)?.shift()).toBe(parcel);
          size--;
        };
        for (const [number, of] of steps.entries()) {
          if (of === 'shift') check(turns.shift());
          else {
            const parcel = { ...of, number };
            turns.push(of.flow, parcel, of.cost);
            model.set(of.flow, [...(model.get(of.flow) ?? []), parcel]);
            size++;
          }
          expect(turns.size).toBe(size);
        }
        while (size > 0) check(turns.shift());
        expect(turns.shift()).toBeUndefined();
      }),
    );
  });

  it('serves flows that always have something within a quantum and the greatest cost of each other', () => {
    const costs = fc.array(fc.integer({ min: 1, max: MOST }), { minLength: 1, maxLength: 20 });
    fc.assert(
      // Each flow has at least one door; a door that was served is put back at the end of its flow.
      fc.property(fc.array(costs, { minLength: 2, maxLength: 5 }), (flows) => {
        const turns = new DeficitRoundRobin<Parcel>(QUANTUM);
        const served = new Map(flows.map((_, i) => [`flow ${i}`, 0]));
        for (const [i, doors] of flows.entries()) {
          for (const [number, cost] of doors.entries())
            turns.push(`flow ${i}`, { flow: `flow ${i}`, cost, number }, cost);
        }
        for (let i = 0; i < 300; i++) {
          const door = turns.shift() as Parcel;
          served.set(door.flow, (served.get(door.flow) as number) + door.cost);
          turns.push(door.flow, door, door.cost);
          const sums = [...served.values()];
          expect(Math.max(...sums) - Math.min(...sums)).toBeLessThanOrEqual(QUANTUM + MOST);
        }
      }),
    );
  });
});

function drain<Item>(turns: DeficitRoundRobin<Item>): Item[] {
  const items: Item[] = [];
  for (let item = turns.shift(); item !== undefined; item = turns.shift()) items.push(item);
  return items;
}
