import { describe, expect, it } from '@jest/globals';
import { isId } from '@hookline/domain';
import { enqueueEvents, InvalidEvents, type OutboxEvent } from './enqueue-events.js';

/** What a transaction was asked. */
function transaction() {
  const calls: unknown[][] = [];
  return {
    calls,
    query: async (_sql: string, parameters: unknown[]): Promise<unknown> => calls.push(parameters),
  };
}

async function faultsOf(...events: OutboxEvent[]): Promise<string[]> {
  const asked = transaction();
  const error = await enqueueEvents(asked, events).catch((reason: unknown) => reason);
  expect(asked.calls).toEqual([]);
  return (error as InvalidEvents).errors.map(({ field, message }) => `${field} ${message}`);
}

describe('enqueueEvents', () => {
  it('writes all events with one statement, in their order', async () => {
    const asked = transaction();
    const time = new Date('2026-11-22T10:00:00Z');
    const ids = await enqueueEvents(asked, [
      { type: 'a', data: { n: 1 }, key: 'k', id: 'one', time, tenant: 'ten_a' },
      { type: 'b', data: null },
    ]);
    expect(ids[0]).toBe('one');
    expect(isId('evt', ids[1] as string)).toBe(true);
    expect(asked.calls).toEqual([
      [
        ['ten_a', null],
        ids,
        ['a', 'b'],
        ['k', null],
        ['2026-11-22T10:00:00.000Z', expect.stringMatching(/Z$/)],
        ['{"n":1}', 'null'],
      ],
    ]);
  });

  it('asks for nothing where there are no events', async () => {
    const asked = transaction();
    expect(await enqueueEvents(asked, [])).toEqual([]);
    expect(asked.calls).toEqual([]);
  });

  it('names each field that is at fault, and writes nothing', async () => {
    expect(
      await faultsOf(
        { type: 'fine', data: 1 },
        { type: 'not a type', id: '', key: 'x'.repeat(257), data: undefined },
        { type: 'late', time: new Date(Number.NaN), data: 'x'.repeat(262_143) },
      ),
    ).toEqual([
      'events[1].id must be a text that is not empty',
      'events[1].key must not be longer than 256 characters',
      'events[1].type must be words of A-Z a-z 0-9 _ : / - with dots between, e.g. order.created',
      'events[1].data is nothing that JSON can say',
      'events[2].time must be a time as in RFC 3339, e.g. 2026-11-22T08:30:00Z',
      'events[2].data must not be larger than 262144 bytes',
    ]);
  });
});
