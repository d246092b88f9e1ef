import { describe, expect, it } from '@jest/globals';
import { encodeDeliveryHeaders, TOPICS, type DeliveryEnvelope, type SubscriptionRecord } from '@hookline/contracts';
import { DELIVERED, type End, type Outcome } from '@hookline/domain';
import { LetGo, type Assignment, type LogRecord, type ReadRecord, type RestoredProgress } from '@hookline/kafka';
import { silentLogger } from '@hookline/platform';
import { TestClock } from '@hookline/testing';
import type { Delivery } from '../delivery.js';
import type { Subscriber } from '../subscriptions/subscriber.js';
import type { Target } from '../subscriptions/target.js';
import { OrderedLanes } from './ordered-lanes.js';

const LANES = [TOPICS.deliveries, TOPICS.replays, 'hookline.retry.5s', 'hookline.retry.1h'];
const TIMEOUT_MS = 15_000;
const LEASE_MS = 10_000;

type OwnedRecord = LogRecord & { envelope: DeliveryEnvelope };

/** One partition of all lanes, with what their logs have. */
class Owner {
  readonly clock = new TestClock();
  readonly sent: string[] = [];
  readonly moved: string[] = [];
  readonly ended: string[] = [];
  readonly heldUp: string[] = [];
  isKnown = false;
  readonly logs = new Map<string, ReadRecord[]>(LANES.map((lane) => [lane, []]));
  scansThatFail = 0;
  end: End | undefined;
  /** What its subscription's record says besides. */
  record: Partial<SubscriptionRecord> = {};
  outcomes: Outcome[] = [];
  private readonly gone = new AbortController();
  private readonly assignments = LANES.map(
    (topic) => ({ topic, partition: 0, signal: this.gone.signal }) as unknown as Assignment,
  );
  readonly lanes = new OrderedLanes(
    {
      attemptTimeoutMs: TIMEOUT_MS,
      directWaitMs: 1_000,
      orderedOutstanding: 100,
      orderedRemembered: 100,
      retryDelaysMs: [5_000, 3_600_000],
    },
    {
      targets: {
        get: (id) =>
          id === 'sub_stranger' && !this.isKnown
            ? undefined
            : ({
                id,
                record: id === 'sub_a' ? { ordering: 'key', ...this.record } : {},
                subscriber: {
                  endOf: () => this.end,
                  supersedes: (epoch) => epoch !== undefined && epoch < (this.record.epoch ?? 0),
                } as Pick<Subscriber, 'endOf' | 'supersedes'>,
              } as unknown as Target),
      },
      deliverer: {
        defer: (delivery, waitMs) => {
          this.moved.push(`${delivery.envelope.event.id} ${waitMs}`);
          return Promise.resolve({ kind: 'defer', delayMs: waitMs, jitterMs: 0 });
        },
        holdUp: (delivery, waitMs) => {
          this.heldUp.push(`${delivery.envelope.event.id} ${waitMs}`);
          return Promise.resolve({ kind: 'defer', delayMs: Math.max(waitMs, 5_000), jitterMs: 0 });
        },
        end: (delivery, how) => {
          this.ended.push(`${delivery.envelope.event.id} ${how.kind}`);
          return Promise.resolve(how);
        },
      },
      jitterMs: () => 0,
      owns: () => true,
      leaseMs: LEASE_MS,
      readLane: (lane, range) => this.read(lane, range),
      laneEnd: async (lane) => this.logs.get(lane)?.length ?? 0,
      clock: this.clock,
      logger: silentLogger,
    },
  );

  assign(change: Partial<RestoredProgress> = {}): void {
    this.lanes.expect(LANES);
    for (const assignment of this.assignments) {
      const end = this.logs.get(assignment.topic)?.length ?? 0;
      const progress = { watermark: 0, start: 0, end, completeTo: 0, isFirst: true, isComplete: () => false };
      this.lanes.assigned(assignment.topic, assignment, { ...progress, ...change });
    }
  }

  /** One lane of the partition goes to another worker, and comes back. */
  loseAndGet(lane: string): void {
    const index = LANES.indexOf(lane);
    this.lanes.revoked(this.assignments[index] as Assignment);
    this.assignments[index] = { ...(this.assignments[index] as Assignment) };
    const end = this.logs.get(lane)?.length ?? 0;
    const progress = { watermark: 0, start: 0, end, completeTo: 0, isFirst: true, isComplete: () => false };
    this.lanes.assigned(lane, this.assignments[index], progress);
  }

  revoke(): void {
    this.gone.abort();
    for (const assignment of this.assignments) this.lanes.revoked(assignment);
  }

  /** Appends to a lane's log. */
  write(lane: string, id: number, change: Partial<DeliveryEnvelope> = {}): LogRecord {
    const log = this.logs.get(lane) as ReadRecord[];
    const envelope: DeliveryEnvelope = {
      event: { tenant: 'ten', id: `e${id}`, type: 't', time: '', key: 'k' },
      source: { partition: 0, offset: id, at: id },
      subscriptionId: 'sub_a',
      deliveryId: `msg_${'0'.repeat(32)}`,
      attempts: 0,
      history: [],
      ...change,
    };
    const fixed = { topic: lane, partition: 0, key: null, value: Buffer.from('{}') };
    const timestamp = this.clock.now();
    const record = { ...fixed, offset: log.length, timestamp, headers: encodeDeliveryHeaders(envelope) };
    log.push(record);
    const assignment = this.assignments[LANES.indexOf(lane)] as Assignment;
    return { ...record, assignment, done: false, envelope } as LogRecord;
  }

  changed(id: string, record: Partial<SubscriptionRecord> = {}): void {
    this.record = record;
    this.lanes.changed({ id, record: id === 'sub_a' ? { ordering: 'key', ...record } : record } as Target);
  }

  take(record: LogRecord, dueAt = 0): Promise<void> {
    const { envelope } = record as OwnedRecord;
    const delivery: Delivery = { envelope, body: Buffer.from('{}'), assignment: record.assignment };
    return this.lanes.take(record, delivery, dueAt, () => {
      this.sent.push(envelope.event.id);
      return Promise.resolve(this.outcomes.shift() ?? DELIVERED);
    });
  }

  private async *read(lane: string, { partition, from, to }: { partition: number; from: number; to: number }) {
    await Promise.resolve();
    if (this.scansThatFail-- > 0) throw new Error('by the test');
    const records = (this.logs.get(lane) as ReadRecord[]).slice(from, to);
    yield { partition, records, next: to, gone: 0 };
  }
}

describe('a partition that is taken over', () => {
  it('sends nothing of a key while what the scan found in a tier is not through', async () => {
    const owner = new Owner();
    const first = owner.write('hookline.retry.5s', 1);
    const second = owner.write(TOPICS.deliveries, 2);
    owner.scansThatFail = 1;
    owner.assign();
    const all = [owner.take(second)];
    await owner.clock.advanceAsync(3_000);
    expect(owner.sent).toEqual([]);
    all.push(owner.take(first, owner.clock.now() + 500));
    await owner.clock.advanceAsync(500);
    await Promise.all(all);
    expect(owner.sent).toEqual(['e1', 'e2']);
  });

  it('waits for the lease of a former owner and one attempt more, and for none where there was no owner', async () => {
    const [fresh, taken] = [new Owner(), new Owner()];
    fresh.assign();
    await fresh.take(fresh.write(TOPICS.deliveries, 1));
    taken.assign({ isFirst: false });
    const waiting = taken.take(taken.write(TOPICS.deliveries, 1));
    await taken.clock.advanceAsync(LEASE_MS + TIMEOUT_MS - 1);
    expect(taken.sent).toEqual([]);
    await taken.clock.advanceAsync(1);
    await waiting;
    expect([fresh.sent, taken.sent]).toEqual([['e1'], ['e1']]);
  });

  it('knows by the log what is through: a copy of it is dropped', async () => {
    const owner = new Owner();
    owner.write(TOPICS.deliveries, 1);
    const copy = owner.write(TOPICS.deliveries, 1);
    const next = owner.write(TOPICS.deliveries, 2);
    owner.assign({ watermark: 1, completeTo: 1, isComplete: (offset) => offset < 1 });
    await Promise.all([owner.take(copy), owner.take(next)]);
    expect(owner.sent).toEqual(['e2']);
  });

  it('does not take an event for through by a copy of it that was dropped, while the first record is not complete', async () => {
    const owner = new Owner();
    const first = owner.write(TOPICS.deliveries, 1);
    owner.write(TOPICS.deliveries, 1);
    owner.assign({ watermark: 0, completeTo: 2, isComplete: (offset) => offset === 1 });
    await owner.take(first);
    expect(owner.sent).toEqual(['e1']);
  });

  it('of which one lane goes and comes back is scanned to where the others end now', async () => {
    const owner = new Owner();
    owner.assign();
    owner.outcomes = [{ kind: 'retry', delayMs: 3_600_000, jitterMs: 0 }];
    await owner.take(owner.write(TOPICS.deliveries, 1));
    owner.write('hookline.retry.1h', 1);
    owner.loseAndGet(TOPICS.replays);
    await owner.take(owner.write(TOPICS.deliveries, 2));
    expect(owner.sent).toEqual(['e1']);
    expect(owner.moved).toEqual(['e2 3600000']);
  });

  it('gives back what it holds when it goes, and on a stop', async () => {
    const [lost, stopped] = [new Owner(), new Owner()];
    for (const owner of [lost, stopped]) owner.assign({ isFirst: false });
    const held = [lost, stopped].map((owner) => owner.take(owner.write(TOPICS.deliveries, 1)));
    lost.revoke();
    stopped.lanes.close();
    await expect(held[0]).rejects.toThrow('no longer owned');
    await expect(held[1]).rejects.toThrow(LetGo);
    expect(lost.clock.pending).toBe(0);
  });
});

describe('what waits for its turn', () => {
  it('moves to the tier in which its first waits, or the next that falls due after it', async () => {
    const owner = new Owner();
    owner.assign();
    owner.outcomes = [{ kind: 'retry', delayMs: 3_600_000, jitterMs: 100 }];
    await owner.take(owner.write(TOPICS.deliveries, 1));
    await owner.take(owner.write(TOPICS.deliveries, 2));
    await owner.clock.advanceAsync(3_600_000 - 20_000);
    await owner.take(owner.write(TOPICS.deliveries, 3));
    await owner.clock.advanceAsync(12_000);
    await owner.take(owner.write(TOPICS.deliveries, 4));
    expect(owner.moved).toEqual(['e2 3600000', 'e3 3600000', 'e4 5000']);
    expect(owner.sent).toEqual(['e1']);
  });

  it('ends at once where nothing is sent any more', async () => {
    const owner = new Owner();
    owner.assign();
    owner.outcomes = [{ kind: 'retry', delayMs: 3_600_000, jitterMs: 0 }];
    await owner.take(owner.write(TOPICS.deliveries, 1));
    owner.end = { kind: 'held', reason: 'subscription-disabled' };
    await owner.take(owner.write(TOPICS.deliveries, 2));
    expect(owner.ended).toEqual(['e2 held']);
  });

  it('of one that turns out to want no order goes at once, each when it is due', async () => {
    const owner = new Owner();
    owner.assign();
    owner.outcomes = [{ kind: 'retry', delayMs: 3_600_000, jitterMs: 0 }];
    const stranger = { subscriptionId: 'sub_stranger' };
    const all = [1, 2, 3].map((id) => owner.write(TOPICS.deliveries, id, stranger));
    for (const record of all) expect(owner.lanes.concerns((record as OwnedRecord).envelope)).toBe(true);
    await owner.take(all[0] as LogRecord);
    const second = owner.take(all[1] as LogRecord, owner.clock.now() + 700_000);
    owner.isKnown = true;
    owner.changed('sub_stranger');
    expect(owner.lanes.concerns((all[2] as OwnedRecord).envelope)).toBe(false);
    expect(owner.sent).toEqual(['e1']);
    await owner.clock.advanceAsync(700_000);
    await second;
    expect(owner.sent).toEqual(['e1', 'e2']);
  });

  it('waits also where the subscription is not known yet, and not where it wants no order', () => {
    const { lanes } = new Owner();
    const event = { tenant: 'ten', id: 'e', type: 't', time: '' };
    const envelope = { event: { ...event, key: 'k' } } as DeliveryEnvelope;
    expect(lanes.concerns({ ...envelope, subscriptionId: 'sub_stranger' })).toBe(true);
    expect(lanes.concerns({ ...envelope, subscriptionId: 'sub_a' })).toBe(true);
    expect(lanes.concerns({ ...envelope, subscriptionId: 'sub_plain' })).toBe(false);
    expect(lanes.concerns({ ...envelope, event, subscriptionId: 'sub_a' })).toBe(false);
  });
});

describe('a subscription that catches up', () => {
  const replay = 'rpl_a';

  it('lets nothing go but what the catch-up brings, until that has ended; then what waited, in order', async () => {
    const owner = new Owner();
    owner.assign();
    owner.changed('sub_a', { epoch: 1, catchingUp: replay });
    const live = [1, 2].map((id) => owner.write(TOPICS.deliveries, id, { epoch: 1 }));
    await owner.take(live[0] as LogRecord);
    const second = owner.take(live[1] as LogRecord);
    await owner.take(owner.write(TOPICS.replays, 3, { replayId: 'rpl_other' }));
    await owner.take(owner.write(TOPICS.replays, 0, { replayId: replay, epoch: 1 }));
    expect(owner.sent).toEqual(['e0']);
    expect(owner.heldUp).toEqual(['e1 0', 'e3 0']);
    // It has taken a minute: so much longer it may take.
    await owner.clock.advanceAsync(60_000);
    await second;
    expect(owner.heldUp[2]).toMatch(/^e2 /);
    await owner.take(owner.write('hookline.retry.5s', 1, { epoch: 1 }));
    expect(owner.heldUp.slice(3)).toEqual(['e1 60000']);
    owner.changed('sub_a', { epoch: 1 });
    await owner.take(owner.write('hookline.retry.1h', 1, { epoch: 1 }));
    await owner.take(owner.write('hookline.retry.5s', 2, { epoch: 1 }));
    expect([owner.sent, owner.moved]).toEqual([['e0', 'e1', 'e2'], []]);
  });

  it('has what is of an older epoch forgotten: it holds nobody up, and ends without a word when it comes', async () => {
    const owner = new Owner();
    owner.assign();
    owner.outcomes = [{ kind: 'retry', delayMs: 3_600_000, jitterMs: 0 }];
    await owner.take(owner.write(TOPICS.deliveries, 1));
    const waits = owner.take(owner.write(TOPICS.deliveries, 2), owner.clock.now() + 3_000_000);
    owner.changed('sub_a', { epoch: 1 });
    await waits;
    await owner.take(owner.write(TOPICS.deliveries, 3, { epoch: 1 }));
    await owner.take(owner.write('hookline.retry.1h', 1));
    expect([owner.sent, owner.ended, owner.moved]).toEqual([['e1', 'e3'], [], []]);
  });

  it('is waited for also where the view has not heard of it yet, but who matched the event has', async () => {
    const owner = new Owner();
    owner.assign();
    await owner.take(owner.write(TOPICS.deliveries, 1, { epoch: 1 }));
    expect([owner.sent, owner.heldUp]).toEqual([[], ['e1 0']]);
  });

  it('has what is paused meanwhile held', async () => {
    const owner = new Owner();
    owner.assign();
    owner.changed('sub_a', { epoch: 1, catchingUp: replay });
    owner.end = { kind: 'held', reason: 'subscription-paused' };
    // The attempt is where it ends.
    await owner.take(owner.write(TOPICS.deliveries, 1, { epoch: 1 }));
    expect([owner.sent, owner.heldUp]).toEqual([['e1'], []]);
  });
});
