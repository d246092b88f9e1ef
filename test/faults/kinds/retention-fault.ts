import { EVENTS_GROUP, TOPICS } from '@hookline/contracts';
import { openRuns, partitionKey, readKnown } from '@hookline/kafka';
import { waitUntil } from '@hookline/testing';
import type { Fault, GoneRange } from '../fault.js';
import type { Site } from '../site/site.js';
import { unrecorded } from '../work-in-flight.js';

const AGED_OUT = /^hookline_aged_out_records_total\{[^}]*topic="hookline\.events"[^}]*\} (\S+)/gm;
const TOLD_MS = 120_000;

/**
 * The workers are down for longer than events are kept. Records are deleted as retention would, for the brokers look at that
 * every few minutes only; to whoever reads there is no difference.
 */
export const retentionPasses: Fault = {
  name: 'retention-passes',
  about: 'the delivery workers are down until the log has let go of events that they have not read',
  finds: 'publishes',
  lasts: [4, 10],
  strike: async ({ site, gone, letGo, note }) => {
    await site.fleet.stop('delivery');
    return async () => {
      // History is not what is tried here: it is to have read what is deleted.
      const ends = await site.brokers.bounds(TOPICS.events);
      await waitUntil(async () => (await unrecorded(site)) < 100 && (await passed(site, ends)), {
        deadlineMs: TOLD_MS,
        what: 'history to have read what the log is to let go of',
      });
      gone.push(...(await deleteTo(site, ends)));
      letGo.push(...ends.map(({ partition, low, high }) => ({ partition, from: low, to: high })));
      await site.fleet.start('delivery');
      const records = gone.reduce((sum, { from, to }) => sum + to - from, 0);
      note(`${records} events let go of unread`);
      await waitUntil(async () => (await told(site)) >= records, {
        deadlineMs: TOLD_MS,
        what: `the workers to say that ${records} records aged out`,
      });
      // Partitions that move from one worker to another meanwhile may be told of by both.
      note(`${await told(site)} records told of as aged out`);
    };
  },
};

type Ends = readonly { partition: number; low: number; high: number }[];

async function passed(site: Site, ends: Ends): Promise<boolean> {
  const recorded = await site.history.recorded(TOPICS.events);
  return ends.every(({ partition, high }) => (recorded.get(partition) ?? 0) >= high);
}

/** @returns what nobody had read of it: what was complete above the first open one had been */
async function deleteTo(site: Site, ends: Ends): Promise<GoneRange[]> {
  return site.brokers.ask('records to be deleted', async (admin) => {
    const of = ends.map(({ partition }) => ({ topic: TOPICS.events, partition }));
    const known = await readKnown(admin, EVENTS_GROUP, of, undefined);
    const partitions = ends.map(({ partition, high }) => ({ partition, offset: String(high) }));
    await admin.deleteTopicRecords({ topic: TOPICS.events, partitions });
    return ends.flatMap(({ partition, low, high }) => {
      const { watermark = low, above } = known.get(partitionKey(TOPICS.events, partition)) ?? NOTHING;
      return openRuns(Math.max(low, watermark), high, above.complete).map((run) => ({ partition, ...run }));
    });
  });
}

const NOTHING = { watermark: undefined, above: { complete: [] } };

async function told(site: Site): Promise<number> {
  const texts = await Promise.all(
    site.fleet.running('delivery').map(async ({ url }) => (await fetch(`${url}/metrics`)).text()),
  );
  return texts.flatMap((text) => [...text.matchAll(AGED_OUT)]).reduce((sum, [, value]) => sum + Number(value), 0);
}
