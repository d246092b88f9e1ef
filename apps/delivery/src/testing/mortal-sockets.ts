import { connect, type Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';

/** Connections that break all at once, with none after them: what brokers see of a process that is killed. */
export class MortalSockets {
  private readonly sockets = new Set<Socket>();
  private dead = false;

  readonly factory: ISocketFactory = ({ host, port, onConnect }) => {
    // Port 9 (discard) of loopback refuses: a factory that throws is nothing that kafkajs expects.
    const socket = this.dead ? connect({ host: '127.0.0.1', port: 9 }) : connect({ host, port }, onConnect);
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    return socket;
  };

  /** With an error: without one kafkajs does not notice, and looks after its requests for ever. */
  kill(): void {
    this.dead = true;
    for (const socket of this.sockets) socket.destroy(new Error('killed'));
  }
}
