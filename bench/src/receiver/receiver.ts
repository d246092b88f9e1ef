import type { AddressInfo } from 'node:net';
import { sharedNow } from '../report/machine.js';
import { behave } from './behaviours.js';
import { leanServer, valueOf } from './lean-server.js';

export type Question = 'count' | 'cpu' | 'report';

/** Everything since the last one. */
export interface ReceiverReport {
  requests: number;
  /** By event: when it first came (shared clock, ms), and how often. */
  events: [id: string, at: number, times: number][];
}

/**
 * The endpoints of the benchmark, in a process of their own: they take webhooks as cheaply as they can, and remember
 * each event's id. Questions of its parent: `count` for how many events have come, `cpu` for the seconds it has
 * used, `report` for everything, after which it forgets.
 */
let events = new Map<string, { at: number; times: number }>();
let requests = 0;

const server = leanServer((head, socket) => {
  requests += 1;
  const id = valueOf(head, 'hookline-event-id') as string;
  const known = events.get(id);
  if (known) known.times += 1;
  else events.set(id, { at: sharedNow(), times: 1 });
  // Most endpoints are those at `/`, and need no look at the path.
  if (!head.startsWith('POST / ') && behave(head, socket)) return true;
});

const answers: Record<Question, () => unknown> = {
  count: () => events.size,
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
  report: () => {
    const report: ReceiverReport = {
      requests,
      events: [...events].map(([id, { at, times }]) => [id, at, times]),
    };
    events = new Map();
    requests = 0;
    return report;
  },
};

process.on('message', (question: Question) => process.send?.(answers[question]()));
// Its parent is gone.
process.on('disconnect', () => process.exit());

server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
