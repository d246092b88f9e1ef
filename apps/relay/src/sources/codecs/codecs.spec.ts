import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decompressLz4 } from './lz4.js';
import { decompressSnappy } from './snappy.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

// Node's own come from outside of Jest's realm: they are no instances of the class here.
const rangeError = expect.objectContaining({ name: 'RangeError' });

describe('decompressSnappy', () => {
  it('reads literals, copies of each kind, and copies that overlap with what they write', () => {
    // "abc", 9 bytes from 3 back: abcabcabcabc
    expect(decompressSnappy(hex('0c 08 616263 15 03')).toString()).toBe('abcabcabcabc');
    expect(decompressSnappy(hex('0c 08 616263 22 0300')).toString()).toBe('abcabcabcabc');
    expect(decompressSnappy(hex('0c 08 616263 23 03000000')).toString()).toBe('abcabcabcabc');
    const long = Buffer.alloc(300, 'x');
    expect(decompressSnappy(Buffer.concat([hex('ac02 f4 2b01'), long]))).toEqual(long);
  });

  it('reads blocks in the frame of Java', () => {
    const header = hex('82 53 4e 41 50 50 59 00 00000001 00000001');
    expect(
      decompressSnappy(Buffer.concat([header, hex('00000005 03 08 616263'), hex('00000003 01 00 64')])).toString(),
    ).toBe('abcd');
  });

  it.each(['', '05 08 616263', '03 08 6162', '08 08 616263 09 09', '03 08 616263 01', 'ffffffffff01'])(
    'refuses %j',
    (bytes) => {
      expect(() => decompressSnappy(hex(bytes))).toThrow(rangeError);
    },
  );
});

describe('decompressLz4', () => {
  const frame = (blocks: string, flags = '40') => hex(`04224d18 ${flags} 40 00 ${blocks} 00000000`);

  it('reads blocks that are compressed, that are not, and that refer to the one before', () => {
    expect(decompressLz4(frame('03000080 616263')).toString()).toBe('abc');
    expect(decompressLz4(frame('06000000 35 616263 0300')).toString()).toBe('abcabcabcabc');
    expect(decompressLz4(frame('03000080 616263 05000000 05 0300 10 64')).toString()).toBe('abcabcabcabcd');
    const long = `f0 ff 1e ${'78'.repeat(300)}`;
    expect(decompressLz4(frame(`2f010000 ${long}`)).toString()).toBe('x'.repeat(300));
  });

  it('passes over sizes and checksums', () => {
    const withAll = hex('04224d18 5c 40 0300000000000000 00 03000080 616263 11111111 00000000 22222222');
    expect(decompressLz4(withAll).toString()).toBe('abc');
  });

  it.each([
    '',
    '00',
    '04224d18 41 40 00 00000000',
    '04224d18 40 40 00 05000080 61',
    '04224d18 40 40 00 05000000 35 616263 09',
  ])('refuses %j', (bytes) => {
    expect(() => decompressLz4(hex(bytes))).toThrow(rangeError);
  });
});

describe('any bytes', () => {
  it.each([
    ['Snappy', decompressSnappy, ''],
    ['LZ4', decompressLz4, '04224d18404000'],
  ])('end as %s in a result or a RangeError', (_name, decompress, prefix) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decompress(Buffer.concat([hex(prefix), bytes]));
        } catch (error) {
          expect(error).toEqual(rangeError);
        }
      }),
    );
  });
});
