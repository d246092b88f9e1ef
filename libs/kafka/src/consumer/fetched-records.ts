import type { KafkaMessage } from 'kafkajs';

/** What was fetched of a partition and not handed over yet, in log order. */
export class FetchedRecords {
  private messages: readonly KafkaMessage[] = [];
  private at = 0;
  private after = 0;
  private last = 0;

  get size(): number {
    return this.messages.length - this.at;
  }

  /** Nothing is left to be fetched before it; 0 if nothing was fetched. */
  get end(): number {
    return this.after;
  }

  /**
   * Whether no more need be fetched: half of the last fetch waits. kafkajs looks only every now and then whether it may
   * go on, and what was fetched must not run out meanwhile.
   */
  get isAmple(): boolean {
    return this.size > this.last / 2;
  }

  add(messages: readonly KafkaMessage[]): void {
    this.last = messages.length;
    this.messages = this.size === 0 ? messages : [...this.messages.slice(this.at), ...messages];
    this.at = 0;
    const last = messages.at(-1);
    if (last !== undefined) this.pass(Number(last.offset) + 1);
  }

  /** Nothing is left to be fetched before this offset. */
  pass(offset: number): void {
    this.after = Math.max(this.after, offset);
  }

  shift(): KafkaMessage | undefined {
    const message = this.messages[this.at];
    if (message === undefined) return undefined;
    // Not holding on to what was taken: that is the business of whoever took it.
    if (++this.at === this.messages.length) this.forget();
    return message;
  }

  clear(): void {
    this.forget();
    this.after = 0;
  }

  private forget(): void {
    this.messages = [];
    this.at = 0;
  }
}
