import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { DeliveryEnvelope, SubscriptionRecord } from '@hookline/contracts';
import { newSigningSecret, Sealer } from '@hookline/domain';
import { TestClock } from '@hookline/testing';
import { Targets } from './targets.js';
import { ViewGate } from './view-gate.js';

const sealer = new Sealer([`k:${randomBytes(32).toString('base64')}`]);

const SOURCE = { partition: 0, offset: 0, at: 0 };

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
    expect([
      targets.get('sub_a'),
      subscriber?.current,
      subscriber?.isDeleted,
      subscriber?.endOf({ source: SOURCE }),
    ]).toEqual([undefined, undefined, true, { kind: 'dead-letter', reason: 'subscription-deleted' }]);
  });

  it('lets an event take the version that holds where it stands, however late it is read', () => {
    const targets = new Targets(sealer);
    const at = (version: number, from: number, live: boolean, types = ['order.*']) => ({
      ...{ version, live, types },
      holdsFrom: { '0': from },
    });
    const before = [at(3, 300, false), at(2, 200, true, ['invoice.*']), at(1, 100, true)];
    targets.apply('sub_a', record({ version: 4, holdsFrom: { '0': 400 }, before }));
    const matched = (type: string, offset: number) =>
      targets.match('ten_a', type, 0, offset).map(({ version }) => version);
    const offsets = [99, 100, 199, 200, 299, 300, 399, 400];
    expect(offsets.map((offset) => matched('order.created', offset))).toEqual([[], [4], [4], [], [], [], [], [4]]);
    expect(offsets.map((offset) => matched('invoice.paid', offset))).toEqual([[], [], [], [4], [4], [], [], []]);
    targets.apply(
      'sub_a',
      record({ version: 5, status: 'deleted', holdsFrom: { '0': 500 }, before: [at(4, 400, true), ...before] }),
    );
    expect([...offsets, 499, 500].map((offset) => matched('order.created', offset).length)).toEqual([
      ...[0, 1, 1, 0, 0, 0, 0, 1],
      ...[1, 0],
    ]);
  });

  it('gives one that is held back nothing from where it is, and what is before it', () => {
    const targets = new Targets(sealer);
    targets.apply('sub_a', record());
    targets.apply('sub_a', record({ version: 2, heldBack: true, holdsFrom: { '0': 10 } }));
    expect([9, 10].map((offset) => targets.match('ten_a', 'order.created', 0, offset).length)).toEqual([1, 0]);
    expect([...targets.heldBack]).toEqual(['sub_a']);
    targets.apply('sub_a', record({ version: 3, holdsFrom: { '0': 20 } }));
    expect([9, 10, 19, 20].map((offset) => targets.match('ten_a', 'order.created', 0, offset).length)).toEqual([
      1, 0, 0, 1,
    ]);
    expect([...targets.heldBack]).toEqual([]);
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
  const held = (reason: string) => ({ kind: 'held', reason });

  it('holds nothing of an endpoint that is gone before its subscription is disabled or changed', () => {
    const targets = new Targets(sealer);
    targets.apply('sub_a', record({ version: 4 }));
    const subscriber = targets.get('sub_a')?.subscriber;
    expect(subscriber?.endOf({ source: SOURCE })).toBeUndefined();
    subscriber?.gone(4);
    expect([subscriber?.isGone, subscriber?.endOf({ source: SOURCE })]).toEqual([true, undefined]);
    targets.apply('sub_a', record({ version: 5 }));
    expect([subscriber?.isGone, subscriber?.endOf({ source: SOURCE })]).toEqual([false, undefined]);
    targets.apply('sub_a', record({ version: 6, status: 'disabled' }));
    expect(subscriber?.endOf({ source: SOURCE })).toEqual(held('subscription-disabled'));
    targets.apply('sub_a', record({ version: 7, status: 'paused' }));
    expect(subscriber?.endOf({ source: SOURCE })).toEqual(held('subscription-paused'));
    targets.apply('sub_a', record({ version: 8, heldBack: true }));
    expect(subscriber?.endOf({ source: SOURCE })).toBeUndefined();
  });

  it('supersedes what is of an older epoch, but not what a replay asked for, and nothing once it is deleted', () => {
    const targets = new Targets(sealer);
    targets.apply('sub_a', record({ version: 4, epoch: 2 }));
    const ends = () =>
      [{}, { epoch: 1 }, { epoch: 2 }, { epoch: 3 }, { replayId: 'rpl_a' }, { replayId: 'rpl_a', epoch: 1 }].map(
        (envelope) => targets.get('sub_a')?.subscriber.endOf({ ...envelope, source: SOURCE })?.kind,
      );
    const [never, over] = [undefined, 'superseded'];
    expect(ends()).toEqual([over, over, never, never, never, over]);
    targets.apply('sub_a', record({ version: 5, epoch: 2, status: 'deleted' }));
    expect(new Set(ends())).toEqual(new Set(['dead-letter']));
  });

  it('holds nothing that a version matched of which it has not heard yet: no span would have it', () => {
    const targets = new Targets(sealer);
    targets.apply('sub_a', record({ version: 2, status: 'paused', holdsFrom: { '0': 10 } }));
    const endAt = (offset: number, replayId?: string) =>
      targets.get('sub_a')?.subscriber.endOf({
        source: { partition: 0, offset, at: 0 },
        ...(replayId === undefined ? {} : { replayId }),
      })?.kind;
    expect([endAt(9), endAt(10), endAt(10, 'rpl_a')]).toEqual(['held', undefined, 'held']);
  });

  it('holds what was matched by a worker that had not heard of the pause, wherever it stands, and nothing of a newer version', () => {
    const targets = new Targets(sealer);
    targets.apply('sub_a', record({ version: 2, status: 'paused', holdsFrom: { '0': 10 } }));
    const endOf = (version: number) =>
      targets.get('sub_a')?.subscriber.endOf({ source: { partition: 0, offset: 20, at: 0 }, version })?.kind;
    expect([endOf(1), endOf(2), endOf(3)]).toEqual(['held', 'held', undefined]);
  });

  it('knows of a gone endpoint until it is said what becomes of the subscription, also where its answer came after that', () => {
    const targets = new Targets(sealer);
    targets.apply('sub_a', record({ version: 1 }));
    const subscriber = targets.get('sub_a')?.subscriber;
    subscriber?.gone(1);
    expect(subscriber?.isGone).toBe(true);
    targets.apply('sub_a', record({ version: 2, status: 'disabled' }));
    subscriber?.gone(2);
    expect(subscriber?.isGone).toBe(false);
  });

  it('hands over once more what a catch-up took for superseded that began meanwhile', async () => {
    const targets = new Targets(sealer);
    targets.apply('sub_a', record());
    const subscriber = targets.get('sub_a')?.subscriber;
    const envelope = { source: SOURCE } as DeliveryEnvelope;
    const handed: (number | undefined)[] = [];
    await subscriber?.handOver(envelope, async () => {
      handed.push(envelope.epoch);
      if (handed.length === 1) targets.apply('sub_a', record({ version: 3, epoch: 1, epochFrom: { '0': 5 } }));
    });
    expect(handed).toEqual([undefined, 1]);
  });

  it('does not supersede what a worker matched late, in the old epoch, where the catch-up no longer reads', () => {
    const targets = new Targets(sealer);
    targets.apply('sub_a', record({ version: 2, epoch: 1, epochFrom: { '0': 10 }, holdsFrom: { '0': 30 } }));
    const endAt = (partition: number, offset: number) =>
      targets.get('sub_a')?.subscriber.endOf({ source: { partition, offset, at: 0 } })?.kind;
    expect([endAt(0, 9), endAt(0, 10), endAt(0, 29), endAt(1, 0)]).toEqual([
      'superseded',
      undefined,
      undefined,
      undefined,
    ]);
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
