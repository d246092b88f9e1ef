import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvalidCursor } from './cursor.js';
import { OtherCluster, StreamCursors } from './stream-cursor.js';

const key = (name: string, byte: number): string => `${name}:${Buffer.alloc(32, byte).toString('base64')}`;
const cursors = new StreamCursors([key('now', 1), key('before', 2)]);

const positions = fc
  .array(fc.option(fc.oneof(fc.maxSafeNat(), fc.nat(5))), { maxLength: 40 })
  .map(
    (offsets) =>
      new Map(offsets.flatMap((offset, partition) => (offset === null ? [] : [[partition, offset] as const]))),
  );

describe('a cursor of the stream', () => {
  it('is any position, and comes back as it was', () => {
    fc.assert(
      fc.property(positions, fc.string(), fc.option(fc.string(), { nil: undefined }), (position, tenant, cluster) => {
        const text = cursors.encode(tenant, position, cluster);
        expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(new Map(cursors.decode(tenant, text, cluster))).toEqual(position);
      }),
    );
  });

  it('is about a hundred characters for a dozen partitions', () => {
    const position = new Map(Array.from({ length: 12 }, (_, partition) => [partition, 5_000_000 + partition] as const));
    expect(cursors.encode('ten_1', position, 'cluster-a').length).toBeLessThan(110);
  });

  it('is refused with any bit changed, cut off or added', () => {
    const text = cursors.encode('ten_1', new Map([[0, 300], [2, 7]]), 'cluster-a'); // prettier-ignore
    const bytes = Buffer.from(text, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(() => cursors.decode('ten_1', changed.toString('base64url'))).toThrow(InvalidCursor);
    }
    for (const other of [text.slice(0, -1), text.slice(1), `${text}A`, `${text}=`, ` ${text}`, `${text}.`])
      expect(() => cursors.decode('ten_1', other)).toThrow(InvalidCursor);
  });

  it('is refused whatever text it is that nobody gave', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.constant('')), (text) => {
        expect(() => cursors.decode('ten_1', text)).toThrow(InvalidCursor);
      }),
    );
  });

  it("is refused as another tenant's", () => {
    const text = cursors.encode('ten_1', new Map([[0, 1]]));
    for (const tenant of ['ten_2', 'ten_', 'ten_11', ''])
      expect(() => cursors.decode(tenant, text)).toThrow(InvalidCursor);
  });

  it('goes on after the keys were rotated, until its key is taken away', () => {
    const position = new Map([[0, 9]]);
    const old = new StreamCursors([key('before', 2)]).encode('ten_1', position);
    expect(cursors.decode('ten_1', old)).toEqual(position);
    expect(
      new StreamCursors([key('next', 3), key('now', 1)]).decode('ten_1', cursors.encode('ten_1', position)),
    ).toEqual(position);
    expect(() => new StreamCursors([key('now', 1)]).decode('ten_1', old)).toThrow(InvalidCursor);
  });

  it('of another cluster is told from one that nobody gave, with where it stood', () => {
    const position = new Map([[0, 9], [3, 7]]); // prettier-ignore
    const text = cursors.encode('ten_1', position, 'cluster-a');
    expect(cursors.decode('ten_1', text, 'cluster-a')).toEqual(position);
    // Nobody knows, while the database has not heard of its cluster.
    expect(cursors.decode('ten_1', text)).toEqual(position);
    const error = (() => {
      try {
        return cursors.decode('ten_1', text, 'cluster-b');
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(OtherCluster);
    expect((error as OtherCluster).position).toEqual(position);
    expect(() => cursors.decode('ten_2', text, 'cluster-b')).not.toThrow(OtherCluster);
    expect(() => cursors.decode('ten_2', text, 'cluster-b')).toThrow(InvalidCursor);
  });

  it('that was given before cursors named their cluster goes on', () => {
    const position = new Map([[1, 5]]);
    expect(cursors.decode('ten_1', cursors.encode('ten_1', position), 'cluster-a')).toEqual(position);
  });
});
