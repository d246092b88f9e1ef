import { LANES_GROUP } from '@hookline/contracts';
import type { Fault, Heal, Victim } from '../fault.js';
import { SmallDisk } from '../site/small-disk.js';

const PAUSED_S = 40;

/** Kills brokers; they come back with the data that they have. */
async function killBrokers({ site: { brokers }, note }: Victim, ids: readonly number[]): Promise<Heal> {
  note(`broker ${ids.join(' and ')}`);
  await Promise.all(ids.map((id) => brokers.kafka.kill(id)));
  return async () => {
    await Promise.all(ids.map((id) => brokers.kafka.restart(id)));
    await brokers.untilInSync();
  };
}

async function pauseBroker({ site: { brokers }, note }: Victim, id: number): Promise<Heal> {
  note(`broker ${id}`);
  await brokers.kafka.pause(id);
  return async () => {
    await brokers.kafka.resume(id);
    await brokers.untilInSync();
  };
}

const ALL = { finds: 'publishes', lasts: [5, 15] } as const;

export const BROKER_FAULTS: readonly Fault[] = [
  {
    ...ALL,
    name: 'broker-killed',
    about: 'one broker of three gets SIGKILL',
    strike: (victim) => killBrokers(victim, [victim.chance.oneOf(victim.site.brokers.ids)]),
  },
  {
    ...ALL,
    name: 'broker-wiped',
    about: 'one broker of three gets SIGKILL and comes back with an empty disk',
    strike: async (victim) => {
      const id = victim.chance.oneOf(victim.site.brokers.ids);
      const heal = await killBrokers(victim, [id]);
      await victim.site.brokers.kafka.wipe(id);
      return heal;
    },
  },
  {
    ...ALL,
    name: 'controller-killed',
    about: 'the broker that is the active controller gets SIGKILL',
    strike: (victim) => killBrokers(victim, [victim.site.brokers.controller()]),
  },
  {
    ...ALL,
    name: 'two-brokers-killed',
    about: 'two brokers of three get SIGKILL, and come back',
    strike: (victim) => {
      const { ids } = victim.site.brokers;
      const spared = victim.chance.oneOf(ids);
      return killBrokers(
        victim,
        ids.filter((id) => id !== spared),
      );
    },
  },
  {
    ...ALL,
    name: 'broker-paused',
    about: `one broker of three is frozen (SIGSTOP) for ${PAUSED_S} s`,
    lasts: [PAUSED_S, PAUSED_S],
    strike: (victim) => pauseBroker(victim, victim.chance.oneOf(victim.site.brokers.ids)),
  },
  {
    ...ALL,
    name: 'coordinator-paused',
    about: `the broker that coordinates the group of the lanes is frozen for ${PAUSED_S} s`,
    lasts: [PAUSED_S, PAUSED_S],
    strike: async (victim) => pauseBroker(victim, await victim.site.brokers.coordinatorOf(LANES_GROUP)),
  },
  {
    ...ALL,
    name: 'disk-full',
    about: 'a broker has no room left on its disk',
    needs: ['small-disk'],
    hindrance: () => SmallDisk.hindrance(),
    strike: async ({ site: { brokers, smallDisk }, note }) => {
      let ended = false;
      brokers.kafka.onUnexpectedDeath((id, { why }) => {
        ended = true;
        note(`broker ${id} ended: ${why}`);
      });
      smallDisk.fill();
      return async () => {
        brokers.kafka.onUnexpectedDeath(() => undefined);
        if (!ended) note('the broker went on');
        smallDisk.makeRoom();
        await brokers.kafka.kill(smallDisk.broker);
        await brokers.kafka.restart(smallDisk.broker);
        await brokers.untilInSync();
      };
    },
  },
];
