import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { testCertificate } from '@hookline/testing';

/** What a parent is told first. */
export interface SecureServerReady {
  port: number;
  /** PEM; of its own making. */
  cert: string;
}

/** An endpoint that speaks HTTP/2 and HTTP/1.1 over TLS, in a process of its own; asked anything, it tells its CPU, s. */
const { key, cert } = testCertificate();
const server = createSecureServer({ key, cert, allowHTTP1: true }, (request, response) => {
  request.resume().on('end', () => response.end());
});

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.((user + system) / 1e6);
});
process.on('disconnect', () => process.exit());

server.listen(0, '127.0.0.1', () => {
  const ready: SecureServerReady = { port: (server.address() as AddressInfo).port, cert };
  process.send?.(ready);
});
