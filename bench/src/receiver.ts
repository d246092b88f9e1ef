import type { AddressInfo } from 'node:net';
import { leanServer, valueOf } from './lean/lean-server.js';
import { sharedNow } from './machine.js';

/** What the receiver is asked for, and answers with. */
export interface ReceiverReport {
  requests: number;
  cpuSeconds: number;
  /** By event: when it first came (shared clock, ms), and how often. */
  events: [id: string, at: number, times: number][];
}

/**
 * The endpoint of the benchmark, in a process of its own: it takes webhooks as cheaply as it can, and remembers each
 * event's id. Messages from its parent: `count` for how many have come, `report` for everything, after which it forgets.
 */
let events = new Map<string, { at: number; times: number }>();
let requests = 0;

const server = leanServer((head) => {
  requests += 1;
  const id = valueOf(head, 'hookline-event-id') as string;
  const known = events.get(id);
  if (known) known.times += 1;
  else events.set(id, { at: sharedNow(), times: 1 });
});

process.on('message', (message) => {
  if (message === 'count') {
    process.send?.(events.size);
    return;
  }
  const { user, system } = process.cpuUsage();
  const report: ReceiverReport = {
    requests,
    cpuSeconds: (user + system) / 1e6,
    events: [...events].map(([id, { at, times }]) => [id, at, times]),
  };
  events = new Map();
  requests = 0;
  process.send?.(report);
});
// Its parent is gone.
process.on('disconnect', () => process.exit());

server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
