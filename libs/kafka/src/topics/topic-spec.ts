/** What a topic is for; lanes share one partition count, compacted ones have one partition. */
export type TopicKind = 'log' | 'lane' | 'compacted';

/** A topic as it should be. */
export interface TopicSpec {
  readonly name: string;
  readonly kind: TopicKind;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Kafka's own names and values of the topic's settings. */
  readonly configs: Readonly<Record<string, string>>;
  /** The constant delay of a retry topic, in milliseconds: what is kept for less would be lost before it is due. */
  readonly delayMs?: number;
  /** What is kept for less than this, in milliseconds, is lost while it may still be tried. */
  readonly neededMs?: number;
}

/** A topic as it is. */
export interface ActualTopic {
  readonly name: string;
  readonly partitions: number;
  /** The smallest over its partitions. */
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}
