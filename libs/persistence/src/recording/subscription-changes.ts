import { TOPICS } from '@hookline/contracts';
import { newId } from '@hookline/domain';
import type { PoolClient } from 'pg';
import { beginCatchUps, cancelCatchUps } from '../management/catch-up.js';
import { enqueue } from '../management/enqueue.js';
import {
  PUBLISHED_COLUMNS,
  toSubscriptionRecord,
  type PublishedSubscription,
} from '../management/subscription-record.js';
import type { DisabledReason } from '../management/subscription.entity.js';
import type { Session } from '../session/session.js';
import type { OutcomeToRecord } from './attempt-rows.js';
import { binaryArray, INT4, TEXT, TIMESTAMP } from './binary-array.js';

/** What an outcome may say of a version of a subscription; `at` is the append time of the first one that does. */
interface Said {
  subscriptionId: string;
  version: number;
  at: number;
  /** For the catch-up that may follow. */
  replayId: string;
}

interface Changed extends PublishedSubscription {
  replayId: string;
}

type Word = 'gone' | 'full' | 'low';

/** A version that has failed for too long, as of a time of the log, ms since the epoch. */
export interface FailingVersion {
  subscriptionId: string;
  version: number;
  at: number;
}

/** In one order: two recorders that meet in the same rows wait for each other, and for an owner who is changing one. */
const LOCK = 'SELECT FROM subscriptions WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE';

/** What is said of one version says nothing of a later one. */
function change(set: string, where: string): string {
  return `
  UPDATE subscriptions s
     SET version = s.version + 1, updated_at = greatest(s.updated_at, said.at), ${set}
    FROM unnest($1::text[], $2::int4[], $3::timestamptz[], $4::text[]) AS said(id, version, at, replay_id)
   WHERE s.id = said.id AND s.version = said.version AND s.status = 'enabled' AND ${where}
  RETURNING ${PUBLISHED_COLUMNS}, said.replay_id AS "replayId"`;
}

function disabling(reason: DisabledReason): string {
  return change(
    `status = 'disabled', disabled_reason = '${reason}', disabled_at = said.at, held_back = false, catching_up = NULL`,
    'true',
  );
}

const CHANGES: Record<Word, string> = {
  gone: disabling('endpoint-gone'),
  full: change('held_back = true', 'NOT s.held_back'),
  // One that is catching up in order ends that first; its owner then says it again, of the version that ended it.
  low: change(
    `held_back = false, catching_up = CASE s.ordering WHEN 'key' THEN said.replay_id END`,
    's.held_back AND s.catching_up IS NULL',
  ),
};

/**
 * Does what the outcomes ask of subscriptions, and puts that on its way to the workers: one whose endpoint said that it
 * is gone for good (410) is disabled; one with too much waiting is held back, and let go on when little is left, with
 * a catch-up over what was held meanwhile. One that was changed since has another version, and is left alone.
 * @returns how many were changed
 */
export async function changeSubscriptions(client: PoolClient, outcomes: readonly OutcomeToRecord[]): Promise<number> {
  const said = firstOfEach(outcomes);
  const ids = Object.values(said).flatMap((each) => each.map(({ subscriptionId }) => subscriptionId));
  if (ids.length === 0) return 0;
  await client.query({ name: 'lock-subscriptions', text: LOCK, values: [binaryArray(TEXT, ids, (id) => id)] });
  const gone = await apply(client, 'gone', said.gone);
  const full = await apply(client, 'full', said.full);
  const low = await apply(client, 'low', said.low);
  const changed = [...gone, ...full, ...low];
  if (changed.length === 0) return 0;
  await enqueue(client, TOPICS.subscriptions, ...changed.map(toSubscriptionRecord));
  if (gone.length > 0) await cancelCatchUps(client, gone.map(idOf));
  if (low.length > 0)
    await beginCatchUps(
      client,
      ...low.map(({ id, tenantId, version, replayId }) => {
        return { replayId, kind: 'backlog' as const, subscriptionId: id, tenantId, version };
      }),
    );
  return changed.length;
}

const FAILING = disabling('failing');

/**
 * Disables what has failed for too long, and puts that on its way to the workers; to be called in a transaction. One that
 * was changed since has another version, and is left alone.
 * @returns the ids of those that were disabled
 */
export async function disableFailing(session: Session, failing: readonly FailingVersion[]): Promise<string[]> {
  const ids = failing.map(({ subscriptionId }) => subscriptionId);
  await session.query(LOCK, [ids]);
  const disabled = await session.query<Changed & Record<string, unknown>>(FAILING, [
    ids,
    failing.map(({ version }) => version),
    failing.map(({ at }) => new Date(at)),
    failing.map(() => ''),
  ]);
  if (disabled.length === 0) return [];
  await enqueue(session, TOPICS.subscriptions, ...disabled.map(toSubscriptionRecord));
  await cancelCatchUps(session, disabled.map(idOf));
  return disabled.map(idOf);
}

function idOf({ id }: Changed): string {
  return id;
}

async function apply(client: PoolClient, word: Word, said: readonly Said[]): Promise<Changed[]> {
  if (said.length === 0) return [];
  const { rows } = await client.query<Changed>({
    name: `change-subscriptions-${word}`,
    text: CHANGES[word],
    values: [
      binaryArray(TEXT, said, (each) => each.subscriptionId),
      binaryArray(INT4, said, (each) => each.version),
      binaryArray(TIMESTAMP, said, (each) => each.at),
      binaryArray(TEXT, said, (each) => each.replayId),
    ],
  });
  return rows;
}

/** A statement may not touch a row twice; of one that is told of several times the first counts. */
function firstOfEach(outcomes: readonly OutcomeToRecord[]): Record<Word, Said[]> {
  const found: Record<Word, Map<string, Said>> = { gone: new Map(), full: new Map(), low: new Map() };
  const hear = (word: Word, { subscriptionId, version }: Pick<Said, 'subscriptionId' | 'version'>, at: number) => {
    const key = `${version} ${subscriptionId}`;
    const known = found[word].get(key);
    if (known === undefined) found[word].set(key, { subscriptionId, version, at, replayId: newId('rpl') });
    else known.at = Math.min(known.at, at);
  };
  for (const { position, outcome } of outcomes) {
    if (outcome.gone) hear('gone', outcome.gone, position.at);
    if (outcome.backlog) hear(outcome.backlog.is, outcome.backlog, position.at);
  }
  return { gone: [...found.gone.values()], full: [...found.full.values()], low: [...found.low.values()] };
}
