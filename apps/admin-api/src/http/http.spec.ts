import { describe, expect, it } from '@jest/globals';
import { ProblemError } from '@hookline/platform';
import { z } from 'zod';
import { assertMatches } from './etag.js';
import { pageQuery, positionOf, toPage } from './page.js';
import { SchemaPipe } from './schema.pipe.js';

function faultsOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    if (error instanceof ProblemError) return error.problem.errors ?? error.problem.status;
    throw error;
  }
  return undefined;
}

describe('SchemaPipe', () => {
  const pipe = new SchemaPipe(
    z.strictObject({
      name: z.string().max(3),
      list: z.array(z.strictObject({ id: z.int() })).optional(),
      map: z.record(z.string().regex(/^\d$/, 'must be a digit'), z.int()).optional(),
    }),
  );

  it('hands on what is valid', () => {
    expect(pipe.transform({ name: 'abc', map: { '1': 2 } })).toEqual({ name: 'abc', map: { '1': 2 } });
  });

  it.each([
    [undefined, '(body)'],
    [null, '(body)'],
    [{}, 'name'],
    [{ name: 'abcd' }, 'name'],
    [{ name: 'a', other: 1 }, 'other'],
    [{ name: 'a', list: [{ id: 1 }, { id: 'x' }] }, 'list[1].id'],
    [{ name: 'a', list: [{ id: 1, more: 2 }] }, 'list[0].more'],
    [{ name: 'a', map: { x: 1 } }, 'map.x'],
    [{ name: 'a', map: { '1': 'x' } }, 'map.1'],
  ])('names the field of %j', (value, field) => {
    expect(faultsOf(() => pipe.transform(value))).toEqual([expect.objectContaining({ field })]);
  });

  it('names the limit, and no more than twenty faults', () => {
    expect(faultsOf(() => pipe.transform({ name: 'abcd' }))).toMatchObject([{ limit: 3 }]);
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`field${i}`, 1]));
    expect(faultsOf(() => pipe.transform({ name: 'a', ...many }))).toHaveLength(20);
  });
});

describe('pages', () => {
  const rows = ['a', 'b', 'c'].map((letter, index) => ({
    id: `sub_${letter.repeat(20)}`,
    createdAt: new Date(1_000 + index),
  }));

  it('give a cursor only where there is more, and the cursor is where the page ended', () => {
    const page = toPage(rows, 2, ({ id }) => id);
    expect(page.items).toEqual([rows[0]?.id, rows[1]?.id]);
    expect(positionOf(page.nextCursor ?? '')).toEqual({ at: rows[1]?.createdAt, id: rows[1]?.id });
    expect(toPage(rows, 3, ({ id }) => id).nextCursor).toBeNull();
  });

  it.each(['', 'x', Buffer.from('1.sub_1').toString('base64url'), Buffer.from("1.sub_'").toString('base64url')])(
    'refuse the cursor %j',
    (cursor) => {
      expect(faultsOf(() => positionOf(cursor))).toMatchObject([{ field: 'cursor' }]);
    },
  );

  it('take a limit of 1 to 200, and 50 where none is named', () => {
    const schema = z.strictObject(pageQuery);
    expect(schema.parse({})).toEqual({ limit: 50 });
    expect(schema.parse({ limit: '200' })).toEqual({ limit: 200 });
    for (const limit of ['0', '201', '-1', '1.5', '1e2', '']) expect(schema.safeParse({ limit }).success).toBe(false);
  });
});

describe('If-Match', () => {
  it.each([undefined, '*', '"7"', '"6", "7"'])('%s is met by version 7', (ifMatch) => {
    expect(faultsOf(() => assertMatches(ifMatch, 7))).toBeUndefined();
  });

  it.each(['"6"', '7', 'W/"7"', '""', ''])('%s is not', (ifMatch) => {
    expect(faultsOf(() => assertMatches(ifMatch, 7))).toBe(412);
  });
});
