import { Socket } from 'node:net';

/**
 * Loaded into a role's process before anything else (`node --import`): connections to the addresses that FAULTS_DETOURS
 * names, `{"host:port": port}` as JSON, are made to another port of this machine. So a proxy can stand between a role and
 * a broker, whose advertised address stays as it is.
 */
interface Target {
  host?: string;
  port?: number | string;
}

const detours = JSON.parse(process.env['FAULTS_DETOURS'] ?? '{}') as Record<string, number>;
// oxlint-disable-next-line typescript/unbound-method -- it is called with the socket that it is for
const straight = Socket.prototype.connect as (this: Socket, ...args: unknown[]) => Socket;

Socket.prototype.connect = function connect(this: Socket, ...args: unknown[]): Socket {
  // `net.connect` hands over a list of its own, of which the options are the first.
  const list = Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
  const target = list[0] as Target | undefined;
  const port = typeof target === 'object' ? detours[`${target.host}:${target.port}`] : undefined;
  if (port !== undefined) list[0] = { ...target, host: '127.0.0.1', port };
  return straight.apply(this, args);
} as Socket['connect'];
