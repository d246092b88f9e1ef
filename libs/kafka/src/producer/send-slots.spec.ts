import { describe, expect, it } from '@jest/globals';
import { SendSlots } from './send-slots.js';

describe('SendSlots', () => {
  it('lets as many out as it is told to', () => {
    const slots = new SendSlots<string>(2, 500);
    slots.begin('a', 1_000);
    expect(slots.waitMs(0, 1_000)).toBe(0);
    expect(slots.waitMs(1, 1_000)).toBe(500);
    slots.begin('b', 1_100);
    expect(slots.waitMs(0, 1_200)).toBe(300);
    slots.end('a');
    expect(slots.waitMs(0, 1_200)).toBe(0);
  });

  it('does not wait for a send that is out for too long', () => {
    const slots = new SendSlots<string>(1, 500);
    slots.begin('hanging', 0);
    expect(slots.waitMs(0, 100)).toBe(400);
    expect(slots.waitMs(0, 500)).toBe(0);
    slots.begin('quick', 600);
    expect(slots.waitMs(0, 700)).toBe(400);
    slots.end('quick');
    expect(slots.waitMs(0, 700)).toBe(0);
  });

  it('has nothing to wait for where all is planned and nothing is out', () => {
    expect(new SendSlots<string>(1, 500).waitMs(1, 0)).toBe(Infinity);
  });
});
