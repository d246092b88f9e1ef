import { createServer, type Server, type Socket } from 'node:net';

export const NO_CONTENT = Buffer.from('HTTP/1.1 204 No Content\r\n\r\n', 'latin1');
const HEAD_END = Buffer.from('\r\n\r\n');

type OnRequest = (head: string, socket: Socket) => true | void;

/**
 * An HTTP/1.1 server that knows as much as a receiver of webhooks needs, so that what is measured is not the receiver:
 * requests with a content-length, answered with 204 once they are there as a whole.
 * @param onRequest gets the head, with its lines as they came; where it returns `true` the answer is its own affair
 */
export function leanServer(onRequest: OnRequest): Server {
  return createServer({ noDelay: true }, (socket) => {
    const request = new Requests(socket, onRequest);
    socket.on('data', (chunk: Buffer) => request.take(chunk));
    // The sender has gone; what came as a whole has been counted.
    socket.on('error', () => undefined);
  });
}

class Requests {
  private pending: Buffer | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly onRequest: OnRequest,
  ) {}

  take(chunk: Buffer): void {
    let rest = this.pending === undefined ? chunk : Buffer.concat([this.pending, chunk]);
    this.pending = undefined;
    while (rest.length > 0) {
      const used = this.one(rest);
      if (used === 0) {
        this.pending = rest;
        return;
      }
      rest = rest.subarray(used);
    }
  }

  /** How many bytes the first request has; 0 if it is not there as a whole. */
  private one(bytes: Buffer): number {
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return 0;
    const head = bytes.toString('latin1', 0, end);
    const whole = end + HEAD_END.length + Number(valueOf(head, 'content-length') ?? 0);
    if (bytes.length < whole) return 0;
    if (this.onRequest(head, this.socket) !== true) this.socket.write(NO_CONTENT);
    return whole;
  }
}

/** The value of a header, whose name is in lower case as our sender writes it. */
export function valueOf(head: string, name: string): string | undefined {
  const at = head.indexOf(`\r\n${name}: `);
  if (at < 0) return undefined;
  const from = at + name.length + 4;
  const to = head.indexOf('\r\n', from);
  return to < 0 ? head.slice(from) : head.slice(from, to);
}
