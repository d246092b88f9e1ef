import { randomBytes } from 'node:crypto';
import { decodeEndpointWord, encodeEndpointWord, TOPICS } from '@hookline/contracts';
import type { Output, ReadRecord } from '@hookline/kafka';

/** What an owner has said: its subscription's endpoint is broken. */
export interface Word {
  /** When, ms since the epoch. */
  readonly at: number;
  /** The owner has said since that it is back. */
  isOver: boolean;
}

/**
 * What the owners of subscriptions say about endpoints. Each says it when its breaker opens or closes, in a compacted topic
 * that all workers follow: so a broken endpoint is tried by one, and a new owner begins with one attempt.
 *
 * A word counts for a time only, so that none blocks for ever. An owner whose attempts fail repeats it when half of that
 * has passed; one whose word can't be written forgets it, and says it anew after its next attempt.
 */
export class OwnersWords {
  /** By subscription; those of endpoints that are broken, or were when their owner was last heard. */
  private readonly words = new Map<string, Word>();
  private readonly worker = randomBytes(9).toString('base64url');

  /** @param wordMs how long a word counts, ms */
  constructor(
    private readonly output: Output,
    private readonly wordMs: number,
  ) {}

  /** The word that counts now; none where the endpoint is not known to be broken. */
  of(subscriptionId: string, now: number): Word | undefined {
    const word = this.words.get(subscriptionId);
    return word !== undefined && now - word.at < this.wordMs ? word : undefined;
  }

  /** Endpoints that are said to be broken, whether that still counts or not. */
  get size(): number {
    return this.words.size;
  }

  /** To be said by the owner, after each attempt that shows it. */
  broken(subscriptionId: string, now: number): void {
    const before = this.words.get(subscriptionId);
    if (before !== undefined && now - before.at < this.wordMs / 2) return;
    const word: Word = { at: now, isOver: false };
    this.words.set(subscriptionId, word);
    this.write(subscriptionId, true, () => {
      if (this.words.get(subscriptionId) === word) this.words.delete(subscriptionId);
    });
  }

  /** To be said by the owner, when the endpoint is back, or nobody needs to know any more. */
  healthy(subscriptionId: string, now: number): void {
    if (!this.end(subscriptionId)) return;
    this.write(subscriptionId, false, () => {
      if (!this.words.has(subscriptionId)) this.words.set(subscriptionId, { at: now, isOver: false });
    });
  }

  /** Takes a record of the topic, in its order. What this worker said it knows already. */
  readonly take = (record: Pick<ReadRecord, 'key' | 'value' | 'headers' | 'timestamp'>): void => {
    const told = decodeEndpointWord(record);
    if (told === undefined || told.worker === this.worker) return;
    this.end(told.subscriptionId);
    if (told.isBroken) this.words.set(told.subscriptionId, { at: record.timestamp, isOver: false });
  };

  private end(subscriptionId: string): boolean {
    const word = this.words.get(subscriptionId);
    if (word !== undefined) word.isOver = true;
    return this.words.delete(subscriptionId);
  }

  private write(subscriptionId: string, isBroken: boolean, onFailure: () => void): void {
    const { worker } = this;
    const record = { topic: TOPICS.progress, ...encodeEndpointWord({ subscriptionId, isBroken, worker }) };
    this.output.produce(record).catch(onFailure);
  }
}
