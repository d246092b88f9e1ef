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
 * has passed; one whose word can't be written forgets it, and says it anew after its next attempt. What the topic says last
 * is what all come to believe, whoever said it, and whatever they have said themselves before that.
 */
export class OwnersWords {
  /** By subscription; those of endpoints that are broken, or were when their owner was last heard. */
  private readonly words = new Map<string, Word>();
  /** The last word that this worker has said about a subscription, until it reads that. */
  private readonly said = new Map<string, string>();
  private readonly worker = randomBytes(9).toString('base64url');
  private count = 0;

  /**
   * @param wordMs how long a word counts, ms
   * @param owns whether this worker owns the subscription: nobody else's word leaves
   */
  constructor(
    private readonly output: Output,
    private readonly wordMs: number,
    private readonly owns: (subscriptionId: string) => boolean,
  ) {}

  /** The word that counts now; none where the endpoint is not known to be broken. */
  of(subscriptionId: string, now: number): Word | undefined {
    const word = this.words.get(subscriptionId);
    return word !== undefined && this.counts(word, now) ? word : undefined;
  }

  /** Endpoints that are said to be broken. */
  broken(now: number): number {
    let broken = 0;
    for (const word of this.words.values()) if (this.counts(word, now)) broken++;
    return broken;
  }

  /** To be said by the owner, after each attempt that shows it. */
  sayBroken(subscriptionId: string, now: number): void {
    const before = this.words.get(subscriptionId);
    if (before !== undefined && now - before.at < this.wordMs / 2) return;
    const word: Word = { at: now, isOver: false };
    this.words.set(subscriptionId, word);
    this.say(subscriptionId, true, () => {
      if (this.words.get(subscriptionId) !== word) return;
      // What was said before it may still count, and is to be taken back once the endpoint is well.
      if (before === undefined) this.words.delete(subscriptionId);
      else this.words.set(subscriptionId, before);
    });
  }

  /** To be said by the owner, when the endpoint is back, or nobody needs to know any more. Without a word it says nothing. */
  sayHealthy(subscriptionId: string, now: number): void {
    if (!this.end(subscriptionId)) return;
    this.say(subscriptionId, false, () => {
      if (!this.words.has(subscriptionId)) this.words.set(subscriptionId, { at: now, isOver: false });
    });
  }

  /** Takes a record of the topic, in its order. */
  readonly take = (record: Pick<ReadRecord, 'key' | 'value' | 'headers' | 'timestamp'>): void => {
    const told = decodeEndpointWord(record);
    if (told === undefined) return;
    const { subscriptionId, isBroken, word } = told;
    if (word.startsWith(this.worker)) {
      // It has said something else since, which comes later.
      if (this.said.get(subscriptionId) !== word) return;
      this.said.delete(subscriptionId);
      if (this.words.has(subscriptionId) === isBroken) return;
    }
    this.end(subscriptionId);
    if (isBroken) this.words.set(subscriptionId, { at: record.timestamp, isOver: false });
  };

  private counts({ at }: Word, now: number): boolean {
    return now - at < this.wordMs;
  }

  private end(subscriptionId: string): boolean {
    const word = this.words.get(subscriptionId);
    if (word !== undefined) word.isOver = true;
    return this.words.delete(subscriptionId);
  }

  private say(subscriptionId: string, isBroken: boolean, onFailure: () => void): void {
    const word = `${this.worker}.${++this.count}`;
    this.said.set(subscriptionId, word);
    const mayLeave = (): boolean => this.owns(subscriptionId);
    const record = { topic: TOPICS.progress, ...encodeEndpointWord({ subscriptionId, isBroken, word }), mayLeave };
    this.output.produce(record).catch(() => {
      if (this.said.get(subscriptionId) !== word) return;
      this.said.delete(subscriptionId);
      onFailure();
    });
  }
}
