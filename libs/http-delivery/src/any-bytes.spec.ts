import { createServer } from 'node:net';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { send, TestEndpoints } from './testing/endpoints.js';

const endpoints = new TestEndpoints();
afterAll(() => endpoints.close());

/** Pieces of answers, in any order and cut anywhere, come across more of a parser than random bytes do. */
const piece = fc.oneof(
  fc.constantFrom(
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 503 no\r\n',
    'HTTP/1.0 200 OK\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 103 Hints\r\n\r\n',
    'HTTP/1.1 101 Switching\r\n',
    'HTTP/1.1 204 No\r\n',
    'HTTP/1.1 304 Not\r\n',
    'content-length: 5\r\n',
    'content-length: 9999999\r\n',
    'transfer-encoding: chunked\r\n',
    'transfer-encoding: gzip\r\n',
    'connection: close\r\n',
    'connection: keep-alive\r\n',
    'keep-alive: timeout=1\r\n',
    'upgrade: h2c\r\nconnection: upgrade\r\n',
    'retry-after: 5\r\n',
    '\r\n',
    '\n',
    '5\r\nhello\r\n',
    '0\r\n\r\n',
    '0\r\nx: y\r\n\r\n',
    'fffffffffffffffff\r\n',
    'hello',
  ),
  fc.string({ maxLength: 20 }),
);

interface Script {
  writes: string[];
  end: 'close' | 'reset' | 'silence';
}

const script: fc.Arbitrary<Script> = fc.record({
  writes: fc.array(
    fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
    { maxLength: 3 },
  ),
  end: fc.constantFrom('close', 'reset', 'silence'),
});

describe('an endpoint that answers anything at all', () => {
  it('is an attempt with a result, and never an error that nobody caught', async () => {
    const client = endpoints.client({ attemptTimeoutMs: 40, firstByteTimeoutMs: 30 });
    let current: Script = { writes: [], end: 'close' };
    const server = createServer((socket) =>
      socket.on('data', () => {
        const { writes, end } = current;
        const next = (at: number): void => {
          const text = writes[at];
          if (text !== undefined) socket.write(text, 'latin1', () => setImmediate(next, at + 1));
          else if (end === 'close') socket.end();
          else if (end === 'reset') socket.resetAndDestroy();
        };
        next(0);
      }),
    );
    const url = `http://127.0.0.1:${await endpoints.listen(server)}/`;
    const uncaught: unknown[] = [];
    const keep = (error: unknown): void => void uncaught.push(error);
    process.on('uncaughtException', keep).on('unhandledRejection', keep);
    try {
      await fc.assert(
        fc.asyncProperty(script, async (answer) => {
          current = answer;
          const result = await send(client, url);
          expect(result.status ?? result.error).toBeDefined();
          expect(result.error).not.toBe('other');
          expect(uncaught).toEqual([]);
        }),
        { numRuns: 400 },
      );
    } finally {
      process.off('uncaughtException', keep).off('unhandledRejection', keep);
    }
  });
});
