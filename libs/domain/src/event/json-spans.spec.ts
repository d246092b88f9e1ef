import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { elementsOf, membersOf, skipSpace } from './json-spans.js';

/** JSON as someone else may write it: white space anywhere, and characters escaped that need not be. */
function written(value: unknown, choices: { space: () => string; escape: () => boolean }): string {
  const { space } = choices;
  const text = (plain: string): string => {
    const json = JSON.stringify(plain);
    if (!choices.escape()) return json;
    return `"${[...Array(plain.length).keys()].map((i) => `\\u${plain.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`;
  };
  const write = (part: unknown): string => {
    if (typeof part === 'string') return text(part);
    if (Array.isArray(part)) return `[${space()}${part.map((item) => write(item) + space()).join(`,${space()}`)}]`;
    if (typeof part !== 'object' || part === null) return JSON.stringify(part);
    const members = Object.entries(part).map(
      ([name, item]) => `${text(name)}${space()}:${space()}${write(item)}${space()}`,
    );
    return `{${space()}${members.join(`,${space()}`)}}`;
  };
  return space() + write(value) + space();
}

const json = fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' });

const style = fc.infiniteStream(fc.constantFrom('', '', ' ', '\n\t', '\r\n  ')).chain((spaces) =>
  fc.infiniteStream(fc.boolean()).map((escapes) => ({
    space: () => spaces.next().value as string,
    escape: () => escapes.next().value as boolean,
  })),
);

const parsed = (bytes: Buffer, { start, end }: { start: number; end: number }): unknown =>
  JSON.parse(bytes.toString('utf8', start, end));

describe('membersOf', () => {
  it('finds every member of any object, however it is written', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), json), style, (object, choices) => {
        const bytes = Buffer.from(written(object, choices));
        const members = membersOf(bytes, skipSpace(bytes, 0));
        expect(members.map((member) => [member.name, parsed(bytes, member)])).toEqual(
          Object.entries(JSON.parse(bytes.toString()) as object),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('gives exactly the bytes of the value, without the space around it', () => {
    const bytes = Buffer.from(' { "id" :"a", "data" :  { "b" : [1, "}\\"]"] , "ü":"ÿ\\\\" }\n, "n":-1.5e3 } ');
    const spans = membersOf(bytes, 1).map(({ name, start, end }) => [name, bytes.toString('utf8', start, end)]);
    expect(spans).toEqual([
      ['id', '"a"'],
      ['data', '{ "b" : [1, "}\\"]"] , "ü":"ÿ\\\\" }'],
      ['n', '-1.5e3'],
    ]);
  });

  it('shows repeated names, also where one is escaped', () => {
    const names = membersOf(Buffer.from('{"data":1,"d\\u0061ta":2}'), 0).map(({ name }) => name);
    expect(names).toEqual(['data', 'data']);
  });

  it('is not bothered by depth', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const bytes = Buffer.from(`{"data":${deep}}`);
    expect(membersOf(bytes, 0)).toEqual([{ name: 'data', start: 8, end: bytes.length - 1 }]);
  });
});

describe('elementsOf', () => {
  it('finds every element of any list, however it is written', () => {
    fc.assert(
      fc.property(fc.array(json), style, (list, choices) => {
        const bytes = Buffer.from(written(list, choices));
        const elements = elementsOf(bytes, skipSpace(bytes, 0));
        expect(elements.map((element) => parsed(bytes, element))).toEqual(JSON.parse(bytes.toString()));
      }),
      { numRuns: 500 },
    );
  });
});
