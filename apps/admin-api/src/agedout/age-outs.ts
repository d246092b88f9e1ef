import {
  AGED_OUT_PREFIX,
  agedOutKey,
  encodeProgress,
  TOPICS,
  type AgedOutRecord,
  type AgedOutState,
} from '@hookline/contracts';
import { ProgressReader, type Output } from '@hookline/kafka';
import { recorderGaps, type NotedRecorderGap, type Queryable } from '@hookline/persistence';
import type { Admin, Kafka } from 'kafkajs';
import { unavailable } from '../http/problems.js';

const STATES: readonly AgedOutState[] = ['found', 're-created', 'lost'];

/** Every age-out that a worker has found, as `hookline.progress` has it. */
export class AgeOuts {
  private readonly reader: ProgressReader<AgedOutRecord>;

  private last: readonly AgedOutRecord[] = [];

  constructor(
    private readonly kafka: Kafka,
    private readonly output: Output,
    private readonly database: Queryable,
    private readonly timeoutMs: number,
  ) {
    this.reader = new ProgressReader(kafka, AGED_OUT_PREFIX);
  }

  /** How many there are, by their state, as of the last look. */
  counts(): Iterable<readonly [AgedOutState, number]> {
    return STATES.map((state) => [state, this.last.filter((each) => each.state === state).length] as const);
  }

  /** The oldest first. @throws ProblemError 503 */
  async list(): Promise<AgedOutRecord[]> {
    const admin = this.kafka.admin();
    try {
      await admin.connect();
      this.last = await this.found(admin);
      return this.last.toSorted((a, b) => a.foundAt - b.foundAt);
    } catch (error) {
      throw unavailable('kafka', error instanceof Error ? error.message : String(error));
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }

  /** What history never got. @throws ProblemError 503 */
  recorderGaps(): Promise<NotedRecorderGap[]> {
    return recorderGaps(this.database);
  }

  /** Resolves when it is durable. */
  async write(record: AgedOutRecord): Promise<void> {
    const value = encodeProgress(record);
    await this.output.produce({ topic: TOPICS.progress, key: agedOutKey(record), value }, this.timeoutMs);
  }

  private async found(admin: Admin): Promise<AgedOutRecord[]> {
    // A cluster that was set up before there was this topic has found none.
    if (!(await admin.listTopics()).includes(TOPICS.progress)) return [];
    const entries = await this.reader.catchUp(admin, AbortSignal.timeout(this.timeoutMs));
    return [...entries.values()].map(({ record }) => record);
  }
}
