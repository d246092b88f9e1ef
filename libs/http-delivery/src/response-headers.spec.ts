import { afterEach, describe, expect, it } from '@jest/globals';
import { send, TestEndpoints } from './testing/endpoints.js';

const endpoints = new TestEndpoints();
afterEach(() => endpoints.close());

const answer = (status: number, headers: readonly string[]): Promise<string> =>
  endpoints.bytes(`HTTP/1.1 ${status} x\r\n${headers.map((line) => `${line}\r\n`).join('')}content-length: 0\r\n\r\n`);

describe('the headers of an answer', () => {
  const client = () => endpoints.client({ responseHeaderBytes: 200 });

  it('of a failure are kept, secrets masked', async () => {
    const url = await answer(503, ['Set-Cookie: id=1', 'X-Request-Id: r-1', 'Location: http://a:b@c/']);
    const { headers } = await send(client(), url);
    expect(headers?.slice(0, 6)).toEqual(['set-cookie', '***', 'x-request-id', 'r-1', 'location', 'http://***@c/']);
  });

  it('are bounded in number and bytes, and one that is too long leaves room for the others', async () => {
    const many = await answer(500, [...Array.from({ length: 30 }, (_, i) => `a${i % 10}: ${i % 10}`)]);
    expect((await send(client(), many)).headers).toHaveLength(32);
    const long = await answer(500, [`x-long: ${'x'.repeat(300)}`, 'x-short: 1']);
    expect((await send(client(), long)).headers).toEqual(['x-short', '1', 'content-length', '0']);
  });

  it('of a success are not kept, nor any where the setting is 0', async () => {
    expect(await send(client(), await answer(200, ['a: b']))).not.toHaveProperty('headers');
    const none = endpoints.client({ responseHeaderBytes: 0 });
    expect(await send(none, await answer(500, ['a: b']))).not.toHaveProperty('headers');
  });
});
