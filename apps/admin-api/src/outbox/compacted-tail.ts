import { decodeCompacted, GENESIS_KEY, type SubscriptionRecord, type Versioned } from '@hookline/contracts';
import type { RangeReader, TopicOffsets } from '@hookline/kafka';
import type { Logger } from '@hookline/platform';
import { stampedVersion, type StampedVersion } from './earlier-versions.js';

/** What the log says of a key. */
export interface KeyInLog {
  /** Of the last record, which is what compaction keeps. */
  lastVersion: number;
  /** The highest that was seen. */
  maxVersion: number;
  /** Of that record, what the next version needs ({@link StampedVersion}): as text, for there are many and few are asked for. */
  stamped: string | undefined;
}

/** Follows a compacted topic by reading what is new in it, when it is asked to. */
export class CompactedTail {
  readonly keys = new Map<string, KeyInLog>();
  private readonly next = new Map<number, number>();
  private genesisSeen = false;
  private forgotten = 0;

  constructor(
    readonly topic: string,
    private readonly offsets: Pick<TopicOffsets, 'bounds'>,
    private readonly reader: RangeReader,
    private readonly logger: Logger,
  ) {}

  /** Without it the topic is empty, and its readers wait. */
  get hasGenesis(): boolean {
    return this.genesisSeen;
  }

  /** How often the topic had less than was seen of it before: then keys may lack, or be of older versions. */
  get timesForgotten(): number {
    return this.forgotten;
  }

  /** The newest version of a subscription that the topic has, as it was stamped. */
  stamped(key: string): StampedVersion | undefined {
    const text = this.keys.get(key)?.stamped;
    return text === undefined ? undefined : (JSON.parse(text) as StampedVersion);
  }

  /**
   * Reads on to the end.
   * @returns the keys whose last record is older than another one before it
   */
  async catchUp(signal: AbortSignal): Promise<string[]> {
    const bounds = await this.offsets.bounds(this.topic);
    // Made anew, or of brokers that came back with less: what was seen of the old one says nothing.
    if (bounds.some(({ partition, high }) => high < (this.next.get(partition) ?? 0))) this.forget();
    const ranges = bounds.map(({ partition, low, high }) => ({
      partition,
      from: Math.max(low, this.next.get(partition) ?? 0),
      to: high,
    }));
    const touched = new Set<string>();
    for await (const batch of this.reader.read(this.topic, ranges, signal)) {
      for (const { key, value, offset } of batch.records) {
        if (key === null || value === null) continue;
        if (this.take(key.toString('utf8'), value, offset)) touched.add(key.toString('utf8'));
      }
      this.next.set(batch.partition, batch.next);
    }
    return [...touched].filter((key) => {
      const known = this.keys.get(key);
      return known !== undefined && known.lastVersion < known.maxVersion;
    });
  }

  private forget(): void {
    this.keys.clear();
    this.next.clear();
    this.genesisSeen = false;
    this.forgotten += 1;
  }

  private take(key: string, value: Buffer, offset: number): boolean {
    if (key === GENESIS_KEY) {
      this.genesisSeen = true;
      return false;
    }
    try {
      const record = decodeCompacted<Versioned | SubscriptionRecord>(value);
      const known = this.keys.get(key);
      const newest = known === undefined || record.version >= known.maxVersion;
      this.keys.set(key, {
        lastVersion: record.version,
        maxVersion: newest ? record.version : known.maxVersion,
        stamped: newest ? textOf(record) : known.stamped,
      });
      return true;
    } catch (error) {
      this.logger.error({ err: error, topic: this.topic, offset }, 'a compacted record can not be read');
      return false;
    }
  }
}

function textOf(record: Versioned | SubscriptionRecord): string | undefined {
  return 'holdsFrom' in record ? JSON.stringify(stampedVersion(record)) : undefined;
}
