import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import kafkajs from 'kafkajs';
import { decompressLz4 } from './lz4.js';
import { decompressSnappy } from './snappy.js';

const { CompressionCodecs, CompressionTypes } = kafkajs;

const codecOf = (name: string, decompress: (input: Buffer) => Buffer | Promise<Buffer>) => () => ({
  compress: () => Promise.reject(new Error(`${name} is only read here`)),
  decompress: async (input: Buffer) => decompress(input),
});

/**
 * Lets kafkajs read what other producers compress with: by itself it knows gzip alone, and a consumer that meets another
 * one ends. Our own topics keep what we write.
 */
export function readAllCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = codecOf('Snappy', decompressSnappy);
  CompressionCodecs[CompressionTypes.LZ4] = codecOf('LZ4', decompressLz4);
  // Since Node 22.15.
  if ('zstdDecompress' in zlib)
    CompressionCodecs[CompressionTypes.ZSTD] = codecOf('Zstandard', promisify(zlib.zstdDecompress));
}
