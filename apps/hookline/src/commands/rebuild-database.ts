import { databaseSection, kafkaSection, loadConfig, loggingSection } from '@hookline/config';
import { TOPICS, type CredentialRecord, type SubscriptionRecord } from '@hookline/contracts';
import { createKafka } from '@hookline/kafka';
import { createDataSource, ensureDatabase, noteExpunged, rebuildManagement } from '@hookline/persistence';
import { createLogger, silentLogger, type Logger } from '@hookline/platform';
import { readCompacted } from './compacted-topic.js';
import { readExpunged } from './expunged-events.js';
import { setup } from './setup.js';

const sections = { kafka: kafkaSection, database: databaseSection, logging: loggingSection };

/**
 * Makes the database anew from the topics: subscriptions and keys from the compacted ones, tenants from those; the history is
 * written by the recorders, which begin where their topics begin. It can be run again until it has said that it is done.
 * @returns the exit code: 1 where nothing was done for want of a yes
 * @throws Refusal where the database isn't empty, recorders have written to it, or the topics aren't ours
 */
export async function rebuildDatabase(
  yes: boolean,
  env: NodeJS.ProcessEnv,
  say: (text: string) => void = (text) => void process.stdout.write(text),
  given?: Logger,
): Promise<number> {
  const config = loadConfig(sections, env);
  const logger = given ?? createLogger(config.logging, 'rebuild');
  say(WHAT_COMES_BACK);
  if (!yes) {
    say('Nothing was changed. With --yes it is done.\n');
    return 1;
  }
  const kafka = createKafka(config.kafka, { role: 'rebuild', logger });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const keys = await readCompacted<CredentialRecord>(kafka, admin, TOPICS.credentials);
    const subscriptions = await readCompacted<SubscriptionRecord>(kafka, admin, TOPICS.subscriptions);
    const expunged = await readExpunged(kafka, admin);
    await ensureDatabase(config.database);
    await setup(env, silentLogger);
    const database = createDataSource(config.database);
    await database.initialize();
    try {
      const rows = await database.transaction(async (manager) => {
        const rebuilt = await rebuildManagement(manager, keys.records, subscriptions.records);
        await noteExpunged(
          manager,
          expunged.map((record) => ({ ...record, expungedAt: new Date(record.expungedAt) })),
        );
        return rebuilt;
      });
      say(
        `Done: ${rows.subscriptions} subscriptions (and ${rows.heldSpans} spans of the log that some have not got), ${rows.keys} keys, ${rows.tenants} tenants.\n`,
      );
      if (expunged.length > 0) say(`${expunged.length} events stay expunged: their payloads do not come back.\n`);
      if (rows.caughtUpNoMore.length > 0) say(catchUpsLost(rows.caughtUpNoMore));
    } finally {
      await database.destroy();
    }
    const unreadable = keys.unreadable + subscriptions.unreadable;
    if (unreadable > 0) say(`${unreadable} records could not be read and were left out.\n`);
    say('Start the recorders: they write the history from where hookline.events and hookline.attempts begin.\n');
    return 0;
  } finally {
    await admin.disconnect();
  }
}

const WHAT_COMES_BACK = `Rebuilds an empty database from the topics.
  What comes back:  subscriptions with their secrets, versions and states; keys; their tenants; what paused and disabled
                    subscriptions have not got; and events, attempts and deliveries as far back as the topics reach.
  What does not:    names of tenants and keys, descriptions of subscriptions, when they were made, replays and catch-ups, the audit
                    trail and what was discarded, changes that had not reached the topics, and payloads that were expunged since
                    hookline.progress is told of that (what was expunged before, by an older release, comes back: expunge it again).
`;

const catchUpsLost = (ids: readonly string[]): string =>
  `These were catching up, in order. Their catch-ups are gone: what these had not brought, {"status":"enabled","catchUp":{"from":…}} brings.\n${ids.map((id) => `  ${id}\n`).join('')}`;
