import type { AddressInfo, Socket } from 'node:net';
import { leanServer, valueOf } from '../../../bench/src/receiver/lean-server.js';
import type { Command, Entry } from './entries.js';

/**
 * The endpoints, in a process of their own: what they have got and how they have answered is the truth that everything
 * else is compared with. Each path is an endpoint, which answers 204 after a while unless it is told otherwise.
 */
interface Behaviour {
  status: number;
  delayMs: number;
}

const USUAL: Behaviour = { status: 204, delayMs: 20 };

const behaviours = new Map<string, Behaviour>();
let entries: Entry[] = [];
let requests = 0;

const server = leanServer((head, socket) => {
  const path = head.slice(head.indexOf(' ') + 1, head.indexOf(' HTTP/'));
  const number = requests++;
  const eventId = decodeURIComponent(valueOf(head, 'hookline-event-id') ?? '');
  const attempt = Number(valueOf(head, 'hookline-attempt'));
  entries.push(['request', number, path, eventId, valueOf(head, 'webhook-id') ?? '', attempt, Date.now()]);
  const { status, delayMs } = behaviours.get(path) ?? USUAL;
  setTimeout(() => answer(number, status, socket), delayMs);
  return true;
});

function answer(number: number, status: number, socket: Socket): void {
  const open = socket.writable;
  // Taken before: who gets the answer may act on it before this process has its next turn.
  const at = Date.now();
  if (open)
    socket.write(`HTTP/1.1 ${status} ${status === 204 ? 'No Content\r\n' : 'Failed\r\ncontent-length: 0\r\n'}\r\n`);
  entries.push(['answer', number, open ? status : 0, at]);
}

process.on('message', (command: Command) => {
  if (command.ask === 'behave') behaviours.set(command.path, command);
  process.send?.(command.ask === 'entries' ? entries : []);
  if (command.ask === 'entries') entries = [];
});
// Its parent is gone.
process.on('disconnect', () => process.exit());

server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
