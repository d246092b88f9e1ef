import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Authenticator } from './authenticator.js';
import { tooLarge } from './problems.js';

/** A request as the controller gets it. */
export interface PublishRequest {
  /** Who publishes; set before the body is read. */
  tenant: string;
  /** As it came; absent where there was none. */
  body?: Buffer;
}

/** Everything under it needs a key. */
const API = '/v1/';

/**
 * Makes requests what the controller needs: the key is checked before a byte of the body is read, and the body is
 * kept as it came.
 * @param limitOf bytes that a body may have at a path
 */
export function prepareRequests(
  app: NestFastifyApplication,
  authenticator: Authenticator,
  limitOf: (path: string) => number,
): void {
  const server = app.getHttpAdapter().getInstance();
  server.decorateRequest('tenant', '');
  server.addHook('onRequest', (request, _reply, done) => {
    if (!request.url.startsWith(API)) return done();
    try {
      (request as unknown as PublishRequest).tenant = authenticator.tenantOf(request.headers.authorization);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', (request, payload, done) =>
    collect(payload, request.headers, limitOf(request.url), done),
  );
}

function collect(
  payload: Readable,
  headers: IncomingHttpHeaders,
  limit: number,
  done: (error: Error | null, body?: Buffer) => void,
): void {
  if (Number(headers['content-length'] ?? 0) > limit) return done(tooLarge(limit));
  const chunks: Buffer[] = [];
  let size = 0;
  const finish = (error: Error | null): void => {
    payload.off('data', take).off('end', end).off('error', finish);
    done(error, error ? undefined : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
  };
  const take = (chunk: Buffer): void => {
    size += chunk.length;
    if (size > limit) finish(tooLarge(limit));
    else chunks.push(chunk);
  };
  const end = (): void => finish(null);
  payload.on('data', take).on('end', end).on('error', finish);
}
