import { setTimeout as pause } from 'node:timers/promises';
import type { RoleProcess } from '@hookline/embedded';
import type { Fault, Heal, Victim, Work } from '../fault.js';
import { ROLES, type Role } from '../site/fleet.js';
import type { Need } from '../site/site.js';

const EVERY_MS = 2_000;
/** On a busy machine one that starts takes longer than that: several do at once, then. */
const MOST_STARTING = 3;
const READY_MS = 120_000;

const kill = (role: Role, finds: Work, repeatsNothing: boolean, needs: readonly Need[] = []): Fault => ({
  name: `${role}-killed`,
  about: `every ${role} process gets SIGKILL`,
  finds,
  needs,
  lasts: [1, 8],
  repeatsNothing,
  strike: async ({ site }) => {
    await site.fleet.kill(role);
    return () => site.fleet.start(role);
  },
});

const comeAndGo: Fault = {
  name: 'workers-come-and-go',
  about: 'a delivery worker joins or leaves every 2 s',
  finds: 'attempts',
  lasts: [24, 40],
  strike: async ({ site, note }: Victim): Promise<Heal> => {
    const ready: RoleProcess[] = [];
    const starting = new Set<Promise<void>>();
    const over = new AbortController();
    let [joined, left] = [0, 0];
    const join = async (): Promise<void> => {
      const process = await site.fleet.join('delivery');
      await process.untilReady(READY_MS);
      joined += 1;
      ready.push(process);
    };
    const step = (): Promise<unknown> | undefined => {
      const oldest = ready.shift();
      if (oldest) {
        left += 1;
        return site.fleet.leave(oldest);
      }
      if (starting.size >= MOST_STARTING) return undefined;
      const one: Promise<void> = join()
        .catch((error: Error) => note(error.message))
        .finally(() => starting.delete(one));
      starting.add(one);
      return undefined;
    };
    const working = (async () => {
      while (!over.signal.aborted) {
        await step();
        await pause(EVERY_MS);
      }
    })();
    return async () => {
      over.abort();
      await working;
      await Promise.all(starting);
      await Promise.all(ready.map((process) => site.fleet.leave(process)));
      note(`${joined} workers joined, ${left} left in between`);
      if (joined === 0) throw new Error('no worker has joined');
    };
  },
};

const everythingStopped: Fault = {
  name: 'everything-stopped',
  about: 'every role, broker and PostgreSQL gets SIGTERM at once, and is started again',
  finds: 'publishes',
  lasts: [1, 3],
  strike: async ({ site }) => {
    const { brokers, postgres } = site;
    await Promise.all([
      ...ROLES.map((role) => site.fleet.stop(role)),
      ...brokers.ids.map((id) => brokers.kafka.kill(id, 'SIGTERM')),
      postgres.kill(),
    ]);
    return async () => {
      await Promise.all([...brokers.ids.map((id) => brokers.kafka.restart(id)), postgres.restart()]);
      await site.fleet.startAll();
    };
  },
};

export const ROLE_FAULTS: readonly Fault[] = [
  kill('ingest', 'publishes', true),
  kill('delivery', 'attempts', false),
  kill('recorder', 'history', true),
  kill('admin-api', 'changes', true),
  kill('relay', 'outbox', true, ['outbox']),
  comeAndGo,
  everythingStopped,
];
