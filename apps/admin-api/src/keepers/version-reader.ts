import {
  decodeCompacted,
  GENESIS_KEY,
  TOPICS,
  UnreadableRecord,
  type SubscriptionRecord,
  type Versioned,
} from '@hookline/contracts';
import type { RangeReader, ReadRecord } from '@hookline/kafka';
import type { Session } from '@hookline/persistence';
import type { Logger } from '@hookline/platform';
import type { LogBounds } from '../replays/resolve-ranges.js';
import { inTransaction, type Keeper } from './keepers.js';
import { heldVersionOf, type HeldVersion } from './held-version.js';

export interface VersionReaderParts {
  log: Pick<LogBounds, 'bounds'>;
  reader: RangeReader;
  logger: Logger;
  /** After a version was appended, every worker knows of it, ms; with a margin for the brokers' clocks. */
  knownAfterMs: number;
}

/** A version as the topic has it. */
interface AppendedVersion {
  record: SubscriptionRecord;
  /** ms since the epoch. */
  at: number;
}

/**
 * Reads each version of `hookline.subscriptions` once, and puts down what it begins: a slice of the log that late learners
 * may have read without it, and the time when a catch-up may begin. How far
 * it has come is in the database, moved in the same transaction.
 */
export class VersionReader implements Keeper {
  readonly name = 'version-reader';

  constructor(private readonly parts: VersionReaderParts) {}

  async round(session: Session, signal: AbortSignal): Promise<void> {
    const known = await positions(session);
    const bounds = await this.parts.log.bounds(TOPICS.subscriptions);
    const ranges = bounds.map(({ partition, low, high }) => {
      const next = known.get(partition) ?? 0;
      // The topic was made anew where it ends before what was read.
      return { partition, from: next > high ? low : Math.max(low, next), to: high };
    });
    for await (const { partition, records, next } of this.parts.reader.read(TOPICS.subscriptions, ranges, signal)) {
      const versions = records.flatMap((record) => this.versionIn(record));
      await inTransaction(session, async () => {
        if (versions.length > 0) await this.putDown(session, versions);
        await session.query(MOVE, [partition, next]);
      });
    }
  }

  private async putDown(session: Session, versions: readonly AppendedVersion[]): Promise<void> {
    const { knownAfterMs } = this.parts;
    const all = versions.map(({ record }) => ({ id: record.id, held: heldVersionOf(record) }));
    await session.query(FOLLOW, [JSON.stringify(all)]);
    const slices = versions
      .filter(({ record }) => heldVersionOf(record).more)
      .map((each) => sliceOf(each, versions, knownAfterMs));
    await session.query(OPEN, [JSON.stringify(slices)]);
    const told = versions.map(({ record: { id, version }, at }) => ({ id, version, at: at + knownAfterMs }));
    await session.query(TELL, [JSON.stringify(told)]);
  }

  private versionIn({ key, value, timestamp, offset }: ReadRecord): AppendedVersion[] {
    if (key === null || value === null || key.toString('utf8') === GENESIS_KEY) return [];
    try {
      return [{ record: decodeCompacted<Versioned & SubscriptionRecord>(value), at: timestamp }];
    } catch (error) {
      if (!(error instanceof UnreadableRecord)) throw error;
      this.parts.logger.error({ err: error, offset }, 'a version of a subscription can not be read');
      return [];
    }
  }
}

async function positions(session: Session): Promise<Map<number, number>> {
  const rows = await session.query<{ partition: number; next_offset: string }>(
    'SELECT partition, next_offset FROM late_slice_positions',
  );
  return new Map(rows.map((row) => [row.partition, Number(row.next_offset)]));
}

function sliceOf(
  { record: { id, tenant, version }, at }: AppendedVersion,
  all: readonly AppendedVersion[],
  knownAfterMs: number,
): { id: string; tenant: string; version: number; versions: HeldVersion[]; at: number } {
  const versions = all
    .filter(({ record }) => record.id === id && record.version >= version)
    .map(({ record }) => heldVersionOf(record));
  return { id, tenant, version, versions, at: at + knownAfterMs };
}

const MOVE = `
  INSERT INTO late_slice_positions (partition, next_offset) VALUES ($1, $2)
  ON CONFLICT (partition) DO UPDATE SET next_offset = excluded.next_offset`;

/** What holds after a slice's own version holds for the rest of the slice, too. */
const FOLLOW = `
  UPDATE late_slices s SET versions = s.versions || later.held
    FROM (SELECT v->>'id' AS id, jsonb_agg(v->'held') AS held FROM jsonb_array_elements($1::jsonb) AS v GROUP BY 1) later
   WHERE s.subscription_id = later.id`;

const OPEN = `
  INSERT INTO late_slices (subscription_id, version, tenant_id, versions, due_at, ends_at)
  SELECT v->>'id', (v->>'version')::integer, v->>'tenant', v->'versions', at, at
    FROM jsonb_array_elements($1::jsonb) AS v,
         LATERAL (SELECT to_timestamp((v->>'at')::double precision / 1000) AS at) t
  ON CONFLICT (subscription_id, version) DO NOTHING`;

/**
 * A later version tells of the one that began it, too: compaction may have been quicker than this reader. Also of one that was
 * cancelled before: what the lanes had is superseded all the same.
 */
const TELL = `
  UPDATE replays r SET told_at = to_timestamp((v->>'at')::double precision / 1000)
    FROM jsonb_array_elements($1::jsonb) AS v
   WHERE r.subscription_id = v->>'id' AND r.kind <> 'replay' AND r.told_at IS NULL
     AND (v->>'version')::integer >= (r.spec->>'version')::integer`;
