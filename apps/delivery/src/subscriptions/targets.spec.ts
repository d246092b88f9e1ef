import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { SubscriptionRecord } from '@hookline/contracts';
import { newSigningSecret, Sealer } from '@hookline/domain';
import { TestClock } from '@hookline/testing';
import { Targets } from './targets.js';
import { ViewGate } from './view-gate.js';

const sealer = new Sealer([`k:${randomBytes(32).toString('base64')}`]);

const record = (change: Partial<SubscriptionRecord> = {}): SubscriptionRecord => ({
  v: 1,
  version: 1,
  id: 'sub_a',
  tenant: 'ten_a',
  url: 'https://example.com/hook?a=1',
  types: ['order.*'],
  status: 'enabled',
  sealed: sealer.seal(
    JSON.stringify({
      secrets: [newSigningSecret()],
      headers: { 'x-own': 'yes', Host: 'evil', 'Webhook-Id': 'forged' },
    }),
    'ten_a/sub_a',
  ),
  holdsFrom: {},
  ...change,
});

describe('Targets', () => {
  it('matches what is enabled, and knows what is not', () => {
    const targets = new Targets(sealer);
    targets.apply('sub_a', record());
    expect(targets.match('ten_a', 'order.created', 0, 0)).toHaveLength(1);
    targets.apply('sub_a', record({ status: 'disabled', version: 2 }));
    expect(targets.match('ten_a', 'order.created', 0, 0)).toEqual([]);
    expect(targets.get('sub_a')?.status).toBe('disabled');
  });

  it('keeps what is in flight over versions', () => {
    const targets = new Targets(sealer);
    targets.apply('sub_a', record());
    const before = targets.get('sub_a');
    targets.apply('sub_a', record({ version: 2, url: 'https://example.com/other' }));
    const after = targets.get('sub_a');
    expect(after?.subscriber).toBe(before?.subscriber);
    expect(after?.subscriber.current).toBe(after);
  });

  it('keeps nothing of what the view has forgotten, in what is in flight neither', () => {
    const targets = new Targets(sealer);
    targets.apply('sub_a', record());
    const subscriber = targets.get('sub_a')?.subscriber;
    expect(subscriber?.isDeleted).toBe(false);
    targets.apply('sub_a', undefined);
    expect([targets.get('sub_a'), subscriber?.current, subscriber?.isDeleted, subscriber?.refusal]).toEqual([
      undefined,
      undefined,
      true,
      'subscription-deleted',
    ]);
  });

  it('gives a new subscription nothing from before it', () => {
    const targets = new Targets(sealer);
    targets.apply('sub_a', record({ holdsFrom: { '1': 100 } }));
    expect(targets.match('ten_a', 'order.created', 1, 99)).toEqual([]);
    expect(targets.match('ten_a', 'order.created', 1, 100)).toHaveLength(1);
    expect(targets.match('ten_a', 'order.created', 0, 0)).toHaveLength(1);
  });

  it('opens secrets once, and leaves out headers that are ours', () => {
    const targets = new Targets(sealer);
    targets.apply('sub_a', record());
    const opened = targets.get('sub_a')?.open();
    expect(opened?.headers).toEqual(['x-own', 'yes']);
    expect(opened?.endpoint).toMatchObject({ origin: 'https://example.com', path: '/hook?a=1' });
    expect(targets.get('sub_a')?.open()).toBe(opened);
  });
});

describe('Subscriber', () => {
  it('refuses what its endpoint has said to be gone, until it is changed', () => {
    const targets = new Targets(sealer);
    targets.apply('sub_a', record({ version: 4 }));
    const subscriber = targets.get('sub_a')?.subscriber;
    expect(subscriber?.refusal).toBeUndefined();
    subscriber?.gone(4);
    expect(subscriber?.refusal).toBe('endpoint-gone');
    targets.apply('sub_a', record({ version: 5 }));
    expect(subscriber?.refusal).toBeUndefined();
    targets.apply('sub_a', record({ version: 6, status: 'disabled' }));
    expect(subscriber?.refusal).toBe('subscription-disabled');
  });
});

describe('ViewGate', () => {
  it('closes while the view is behind or not complete, and opens again', () => {
    const clock = new TestClock();
    const view = { isComplete: false, stale: 0, staleForMs: () => view.stale };
    const reasons = new Set<string>();
    const intake = {
      pauseIntake: (reason: string) => void reasons.add(reason),
      resumeIntake: (reason: string) => void reasons.delete(reason),
    };
    const gate = new ViewGate(view, [intake], 10_000, clock);
    const seen: number[] = [];
    gate.start();
    seen.push(reasons.size);
    for (const change of [{ isComplete: true }, { stale: 10_001 }, { stale: 10 }]) {
      Object.assign(view, change);
      clock.advance(250);
      seen.push(reasons.size);
    }
    gate.stop();
    expect(seen).toEqual([1, 0, 1, 0]);
    expect(clock.pending).toBe(0);
  });
});
