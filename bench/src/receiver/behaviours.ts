import type { Socket } from 'node:net';
import { NO_CONTENT } from './lean-server.js';

/** How an endpoint is bad, by the first part of its path. */
export const BAD = ['hang', 'reset', 'drip', 'error'] as const;

const FAILED = 'HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n';
/** Its head alone takes longer than an attempt may: whoever gets it never learns that it would be a 200. */
const DRIPPED = `HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-pad: ${'x'.repeat(200)}\r\n\r\n`;
const DRIP_MS = 1_000;

/**
 * Answers as the path of the request says: `/hang`, `/reset`, `/drip` (a byte a second from the first on),
 * `/error` (500),
 * `/wait/<ms>` (204 after so long); all may have more behind it.
 * @returns whether the path says any of it
 */
export function behave(head: string, socket: Socket): boolean {
  const path = head.slice(head.indexOf(' ') + 2, head.indexOf(' HTTP/'));
  const [what, detail] = path.split('/', 2);
  switch (what) {
    case 'hang':
      return true;
    case 'reset':
      socket.resetAndDestroy();
      return true;
    case 'drip':
      drip(socket);
      return true;
    case 'error':
      socket.write(FAILED);
      return true;
    case 'wait':
      setTimeout(() => socket.write(NO_CONTENT), Number(detail));
      return true;
    default:
      return false;
  }
}

function drip(socket: Socket): void {
  let sent = 0;
  const next = (): void => {
    if (sent < DRIPPED.length) socket.write(DRIPPED.charAt(sent++));
    else clearInterval(timer);
  };
  const timer = setInterval(next, DRIP_MS);
  socket.once('close', () => clearInterval(timer));
}
