import { encodeCompacted, GENESIS_KEY, TOPICS, type CredentialRecord } from '@hookline/contracts';
import type { Output, TopicOffsets } from '@hookline/kafka';
import { type PendingRecord, type PendingSubscription, unlessAborted } from '@hookline/persistence';
import type { Clock, Logger } from '@hookline/platform';
import type { CompactedTail } from './compacted-tail.js';
import type { CurrentRecords } from './current-records.js';
import { stampedVersion } from './earlier-versions.js';
import { keptVersions, putStamps } from './kept-stamps.js';
import type { OutboxObserver } from './outbox-metrics.js';
import { keysWaiting } from './outbox-rows.js';
import { writeRecords, type Term, type TopicRecord } from './term.js';

export interface TopicMenderParts {
  current: CurrentRecords;
  /** Where `hookline.events` begins and ends. */
  offsets: Pick<TopicOffsets, 'bounds'>;
  output: Output;
  clock: Clock;
  logger: Logger;
  observer: Pick<OutboxObserver, 'healed'>;
}

/** Writes again what a compacted topic lacks, or says in an older version than the row. */
export class TopicMender {
  /** @param batch records that are written at a time at most */
  constructor(
    private readonly parts: TopicMenderParts,
    private readonly batch: number,
  ) {}

  /**
   * Writes what the topic lacks, and begins one that is new: last of all, for whoever reads it then takes what is there for
   * everything.
   */
  async begin(tail: CompactedTail, term: Term): Promise<void> {
    await this.mendAll(tail, term);
    if (tail.hasGenesis) return;
    const { signal } = term;
    const at = new Date(this.parts.clock.now()).toISOString();
    const value = encodeCompacted({ v: 1, genesis: true, at });
    await unlessAborted(this.parts.output.produce({ topic: tail.topic, key: GENESIS_KEY, value }), signal);
  }

  /** What others, and we, have written since: a topic that was made anew, or came back with less, gets what it lacks. */
  async watch(tail: CompactedTail, term: Term): Promise<void> {
    const { timesForgotten } = tail;
    const stale = await tail.catchUp(term.signal);
    if (tail.timesForgotten > timesForgotten) await this.begin(tail, term);
    else await this.mend(tail, stale, term);
  }

  /** Compares every row with the topic. */
  private async mendAll(tail: CompactedTail, term: Term): Promise<void> {
    const versions = await this.parts.current.versions(tail.topic);
    await tail.catchUp(term.signal);
    const stale = [...versions].filter(([key, version]) => (tail.keys.get(key)?.lastVersion ?? 0) < version);
    await this.mend(
      tail,
      stale.map(([key]) => key),
      term,
    );
    if (tail.topic === TOPICS.subscriptions) await this.keepStamps(tail, [...versions.keys()], term);
  }

  /** What the topic says and the database does not, as after a rebuild of that. */
  private async keepStamps(tail: CompactedTail, ids: readonly string[], { session }: Term): Promise<void> {
    const kept = await keptVersions(session);
    const missing = ids.filter((id) => (kept.get(id) ?? 0) < (tail.keys.get(id)?.maxVersion ?? 0));
    for (let at = 0; at < missing.length; at += this.batch) {
      const stamps = missing.slice(at, at + this.batch).flatMap((id) => {
        const stamped = tail.stamped(id);
        return stamped === undefined ? [] : [{ id, stamped }];
      });
      await putStamps(session, stamps);
    }
  }

  private async mend({ topic }: CompactedTail, stale: readonly string[], term: Term): Promise<void> {
    for (let at = 0; at < stale.length; at += this.batch) {
      const keys = stale.slice(at, at + this.batch);
      const rows = await this.parts.current.of(topic, keys);
      // Asked after the rows: whatever of them the topic does not have, and no other change brings, is ours to write.
      const waiting = await keysWaiting(term.session, topic, keys);
      const records = await this.placed(
        topic,
        rows.filter(({ id }) => !waiting.has(id)),
        term,
      );
      if (records.length === 0) continue;
      await writeRecords(this.parts.output, records, term.signal);
      this.parts.observer.healed(records.length);
      this.parts.logger.warn(
        { topic, keys: records.map(({ key }) => key) },
        'records that were missing or older than their rows were written again',
      );
    }
  }

  /** As they were stamped, as far as the topic or the database says so; else anew. */
  private async placed(
    topic: string,
    rows: readonly PendingRecord[],
    { session, stamps }: Term,
  ): Promise<TopicRecord[]> {
    if (rows.length === 0) return [];
    if (topic !== TOPICS.subscriptions)
      return (rows as CredentialRecord[]).map((payload) => ({ topic, key: payload.id, payload }));
    const events = await this.parts.offsets.bounds(TOPICS.events);
    await stamps.recall(session, rows, events);
    const records = (rows as PendingSubscription[]).map((row) => {
      return { topic, key: row.id, payload: stamps.again(row) ?? stamps.stampAnew(row, events) };
    });
    // Kept before they are written, as those of the outbox are.
    await putStamps(
      session,
      records.map(({ key: id, payload }) => ({ id, stamped: stampedVersion(payload) })),
    );
    return records;
  }
}
