import { describe, expect, it } from '@jest/globals';
import { decodeHeldRange, decodeOutcome, TOPICS } from '@hookline/contracts';
import type { OutgoingRecord, Output } from '@hookline/kafka';
import { withLetters, type HeldSpan } from '../replays/held-spans.js';
import { buryEach, type BuriedDelivery } from './burial.js';

const never = new AbortController().signal;
const since = new Date(1_000);

function delivery(subscriptionId: string, partition: number, offset: number, hasLetter = false): BuriedDelivery {
  const event = { tenant: 'ten_1', id: `evt_${partition}_${offset}`, type: 'a.b' };
  return { subscriptionId, event, position: { partition, offset, at: 1_000 }, replayId: null, since, hasLetter };
}

/** Refuses what comes after so many records. */
class Log implements Output {
  readonly written: OutgoingRecord[] = [];

  constructor(private readonly room = Infinity) {}

  produce = async (record: OutgoingRecord): Promise<{ partition: number; offset: number }> => {
    if (this.written.length >= this.room) throw new Error('Kafka is away');
    this.written.push(record);
    return { partition: 0, offset: this.written.length };
  };

  get letters(): string[] {
    return this.of(TOPICS.deadLetters).map(({ headers = {}, value }) => {
      const range = decodeHeldRange(headers);
      const data = value === null ? '' : ' with data';
      return `${range?.subscriptionId} ${range?.partition}:${range?.from}-${range?.to} ${String(headers['reason'])}${data}`;
    });
  }

  get ends(): string[] {
    return this.of(TOPICS.attempts).map(({ value }) => {
      const { source, delivery: of } = decodeOutcome(value as Buffer);
      return `${of?.subscriptionId} ${source.partition}:${source.offset} ${of?.state} ${of?.reason}`;
    });
  }

  private of(topic: string): OutgoingRecord[] {
    return this.written.filter((record) => record.topic === topic);
  }
}

describe('deliveries that end one by one', () => {
  it('get a letter for each run of neighbours, without data, and an end each', async () => {
    const log = new Log();
    const found = [delivery('sub_b', 0, 7), delivery('sub_a', 0, 6), delivery('sub_a', 1, 6), delivery('sub_a', 0, 5)];
    await buryEach(log, [...found, delivery('sub_a', 0, 8)], 'expunged', never);
    expect(log.letters).toEqual([
      'sub_a 0:5-7 expunged',
      'sub_a 0:8-9 expunged',
      'sub_a 1:6-7 expunged',
      'sub_b 0:7-8 expunged',
    ]);
    expect(log.ends.sort()).toEqual(
      ['sub_a 0:5', 'sub_a 0:6', 'sub_a 0:8', 'sub_a 1:6', 'sub_b 0:7'].map((each) => `${each} dead-lettered expunged`),
    );
  });

  it('have no end before all of them have letters', async () => {
    const log = new Log(1);
    const found = [delivery('sub_a', 0, 1), delivery('sub_a', 0, 3)];
    await expect(buryEach(log, found, 'let-go', never)).rejects.toThrow('Kafka is away');
    expect(log.ends).toEqual([]);
  });

  it('that have the letter of a range get their end only', async () => {
    const log = new Log();
    await buryEach(log, [delivery('sub_a', 0, 1, true), delivery('sub_a', 0, 2)], 'let-go', never);
    expect(log.letters).toEqual(['sub_a 0:2-3 let-go']);
    expect(log.ends).toHaveLength(2);
  });
});

describe('a span', () => {
  it('keeps of what it has letters, neighbours as one, and does not change what it was', () => {
    const lettered = [{ partition: 0, from: 5, to: 7 }];
    const span = { lettered } as unknown as HeldSpan;
    const added = [
      { partition: 1, from: 0, to: 2 },
      { partition: 0, from: 7, to: 9 },
      { partition: 0, from: 11, to: 11 },
    ];
    expect(withLetters(span, added)).toEqual([
      { partition: 0, from: 5, to: 9 },
      { partition: 1, from: 0, to: 2 },
    ]);
    expect(lettered).toEqual([{ partition: 0, from: 5, to: 7 }]);
  });
});
