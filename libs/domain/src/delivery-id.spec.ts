import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { deliveryIdOf, isDeliveryId } from './delivery-id.js';
import { isId, newId } from './ids.js';

describe('deliveryIdOf', () => {
  const event = { tenant: 'ten_a', id: 'e1' };
  const source = { partition: 3, offset: 120 };

  it('is the first 128 bits of SHA-256 over what names the delivery', () => {
    const hex = createHash('sha256').update('ten_a\0e1\x003\x00120\0sub_a').digest('hex');
    expect(deliveryIdOf(event, source, 'sub_a')).toBe(`msg_${hex.slice(0, 32)}`);
    expect(isDeliveryId(deliveryIdOf(event, source, 'sub_a'))).toBe(true);
  });

  it('differs in each part', () => {
    const ids = new Set([
      deliveryIdOf(event, source, 'sub_a'),
      deliveryIdOf(event, source, 'sub_b'),
      deliveryIdOf({ ...event, tenant: 'ten_b' }, source, 'sub_a'),
      deliveryIdOf({ ...event, id: 'e2' }, source, 'sub_a'),
      deliveryIdOf(event, { ...source, partition: 4 }, 'sub_a'),
      deliveryIdOf(event, { ...source, offset: 121 }, 'sub_a'),
    ]);
    expect(ids.size).toBe(6);
  });
});

describe('newId', () => {
  it('makes ids of its kind, each another one', () => {
    const ids = new Set(Array.from({ length: 2_000 }, () => newId('sub')));
    expect(ids.size).toBe(2_000);
    for (const id of ids) expect(isId('sub', id)).toBe(true);
  });

  it('tells kinds apart', () => {
    expect(isId('ten', newId('sub'))).toBe(false);
    expect(isId('sub', 'sub_short')).toBe(false);
  });
});
