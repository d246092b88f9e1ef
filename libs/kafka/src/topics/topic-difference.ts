/** One way in which a topic is not as planned. */
export interface TopicDifference {
  readonly topic: string;
  /** What differs: a Kafka setting's name, `partitions` or `replication.factor`. */
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
  /** True where records would be lost, tried early or served by two owners. */
  readonly dangerous: boolean;
  /** What to do about it, as a sentence. */
  readonly advice: string;
}

/** The topics can't be used as they are; says of each what to do. */
export class TopicsUnusable extends Error {
  override name = 'TopicsUnusable';
  constructor(readonly differences: readonly TopicDifference[]) {
    super(
      `The topics can't be used as they are:\n${differences.map((one) => `  ${describeDifference(one)}`).join('\n')}`,
    );
  }
}

export function describeDifference({ topic, what, expected, actual, advice }: TopicDifference): string {
  return `${topic}: ${what} is ${actual}, expected ${expected}. ${advice}`;
}
