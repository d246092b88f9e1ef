import { describe, expect, it } from '@jest/globals';
import { encodeCompacted, TOPICS, type SubscriptionRecord } from '@hookline/contracts';
import type { OffsetRange, RangeReader, ReadBatch } from '@hookline/kafka';
import type { Session } from '@hookline/persistence';
import { silentLogger, systemClock } from '@hookline/platform';
import { CompactedTail } from './compacted-tail.js';
import type { CurrentRecords } from './current-records.js';
import { stampedVersion } from './earlier-versions.js';
import { TopicMender } from './topic-mender.js';
import { VersionStamps } from './version-stamps.js';

const ID = 'sub_a';

const row = (version: number, status: 'enabled' | 'paused') => ({
  v: 1 as const,
  version,
  id: ID,
  tenant: 'ten_a',
  url: 'https://example.com/',
  types: ['*'],
  status,
  sealed: '',
});

const PAUSED: SubscriptionRecord = { ...row(4, 'paused'), holdsFrom: { '0': 20 } };
const ENABLED: SubscriptionRecord = {
  ...row(5, 'enabled'),
  holdsFrom: { '0': 50 },
  before: [{ version: 4, live: false, types: ['*'], holdsFrom: { '0': 20 } }],
};

/** `hookline.subscriptions`, which may lose its end. */
class Log {
  readonly values: Buffer[] = [];

  readonly offsets = { bounds: async () => [{ partition: 0, low: 0, high: this.values.length }] };

  readonly reader = {
    read: (_: string, ranges: readonly OffsetRange[]) => this.read(ranges),
  } as unknown as RangeReader;

  private async *read(ranges: readonly OffsetRange[]): AsyncGenerator<ReadBatch> {
    for (const { partition, from, to } of ranges) {
      const records = this.values.slice(from, to).map((value, index) => {
        const key = (JSON.parse(String(value)) as { id?: string }).id ?? 'genesis';
        return { partition, offset: from + index, timestamp: 0, key: Buffer.from(key), value, headers: {} };
      });
      yield { partition, records: records as unknown as ReadBatch['records'], next: to, gone: 0 };
    }
  }
}

describe('the mender of the compacted topics', () => {
  it('brokers that come back with less, genesis and an older version, get the newer one as it was stamped', async () => {
    const log = new Log();
    log.values.push(encodeCompacted({ v: 1, genesis: true, at: '2026-01-01T00:00:00Z' }), encodeCompacted(PAUSED));
    log.values.push(encodeCompacted(ENABLED));
    const tail = new CompactedTail(TOPICS.subscriptions, log.offsets, log.reader, silentLogger);
    const written: SubscriptionRecord[] = [];
    const mender = new TopicMender(
      {
        current: {
          versions: async () => new Map([[ID, 5]]),
          of: async () => [row(5, 'enabled')],
        } as unknown as CurrentRecords,
        // Events came after the version: unread ones of 50 to 90 are its.
        offsets: { bounds: async () => [{ partition: 0, low: 0, high: 90 }] },
        output: {
          produce: async ({ value }) => {
            log.values.push(value as Buffer);
            written.push(JSON.parse(String(value)) as SubscriptionRecord);
            return { topic: '', partition: 0, offset: 0, timestamp: 0 } as never;
          },
        },
        clock: systemClock,
        logger: silentLogger,
        observer: { healed: () => undefined },
      },
      10,
    );
    const session = {
      query: async (sql: string) =>
        /SELECT subscription_id AS id, stamped/.test(sql) ? [{ id: ID, stamped: stampedVersion(ENABLED) }] : [],
    } as unknown as Session;
    const term = { session, stamps: new VersionStamps(tail), signal: new AbortController().signal };
    await tail.catchUp(term.signal);

    log.values.pop();
    await mender.watch(tail, term);
    expect(written).toEqual([ENABLED]);

    term.stamps.forget();
    await mender.watch(tail, term);
    expect(written).toHaveLength(1);
  });
});
