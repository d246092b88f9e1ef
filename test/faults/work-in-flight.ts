import { TOPICS } from '@hookline/contracts';
import { waitUntil } from '@hookline/testing';
import type { Victim, Work } from './fault.js';
import type { Scenario } from './scenario.js';

const FOUND_MS = 60_000;

/** What was under way when a fault struck. */
export type InFlight = Record<Work, number>;

/** Waits until there is some of the work that the fault is to find, and says how much there is of each. */
export async function findWork(work: Work, victim: Victim, scenario: Scenario): Promise<InFlight> {
  return waitUntil(
    async () => {
      const found = await inFlight(work, victim, scenario);
      return found[work] > 0 && found;
    },
    { deadlineMs: FOUND_MS, what: `${work} in flight` },
  );
}

async function inFlight(work: Work, { site, load, manager }: Victim, { logs }: Scenario): Promise<InFlight> {
  const history = work === 'history' ? await unrecorded(site) : 0;
  const outbox = work === 'outbox' ? ((await site.outbox?.waiting()) ?? 0) : 0;
  await logs.update();
  return { publishes: load.outstanding, attempts: logs.open, changes: manager.outstanding, history, outbox };
}

/** Records that the recorder has not written yet. */
export async function unrecorded(site: Victim['site']): Promise<number> {
  const topics = await Promise.all([TOPICS.events, TOPICS.attempts].map((topic) => behind(site, topic)));
  return topics.reduce((sum, records) => sum + records, 0);
}

/** Records of one topic that the recorder has not written yet. */
export async function behind(site: Victim['site'], topic: string): Promise<number> {
  const [ends, recorded] = await Promise.all([site.brokers.bounds(topic), site.history.recorded(topic)]);
  return ends.reduce((sum, { partition, high }) => sum + high - (recorded.get(partition) ?? 0), 0);
}
