import { setTimeout as pause } from 'node:timers/promises';
import type { Fault, Heal, Victim, Work } from '../fault.js';
import { ROLES, type Need, type Role } from '../site/site.js';

const EVERY_MS = 2_000;

const kill = (role: Role, finds: Work, repeatsNothing: boolean, needs: readonly Need[] = []): Fault => ({
  name: `${role}-killed`,
  about: `every ${role} process gets SIGKILL`,
  finds,
  needs,
  lasts: [1, 8],
  repeatsNothing,
  strike: async ({ site }) => {
    await site.kill(role);
    return () => site.start(role);
  },
});

const comeAndGo: Fault = {
  name: 'workers-come-and-go',
  about: 'a delivery worker joins or leaves every 2 s',
  finds: 'attempts',
  lasts: [24, 40],
  strike: async ({ site, note }: Victim): Promise<Heal> => {
    let changes = 0;
    const over = new AbortController();
    const working = (async () => {
      while (!over.signal.aborted) {
        const joined = await site.join('delivery');
        await pause(EVERY_MS);
        const left = site.leave(joined);
        changes += 2;
        await pause(EVERY_MS);
        await left;
      }
    })();
    return async () => {
      over.abort();
      await working;
      note(`${changes} comings and goings`);
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
      ...ROLES.map((role) => site.stop(role)),
      ...brokers.ids.map((id) => brokers.kafka.kill(id, 'SIGTERM')),
      postgres.kill(),
    ]);
    return async () => {
      await Promise.all([...brokers.ids.map((id) => brokers.kafka.restart(id)), postgres.restart()]);
      await site.startAll();
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
