import { Refusal } from '@hookline/platform';

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

/**
 * What an operator may decide to live with: less safety than planned. Anything else is a topic that Hookline would misread
 * or serve wrongly, whoever accepts it.
 */
const ACCEPTABLE = new Set([
  'replication.factor',
  'min.insync.replicas',
  'retention.ms',
  'retention.bytes',
  'unclean.leader.election.enable',
  'message.timestamp.type',
]);

/** The topics can't be used as they are; says of each what to do. */
export class TopicsUnusable extends Refusal {
  override name = 'TopicsUnusable';
  constructor(readonly differences: readonly TopicDifference[]) {
    const lines = differences.map((one) => `  ${describeDifference(one)}`);
    super(["The topics can't be used as they are:", ...lines, ...howToAccept(differences)].join('\n'));
  }
}

export function describeDifference({ topic, what, expected, actual, advice }: TopicDifference): string {
  return `${topic}: ${what} is ${actual}, expected ${expected}. ${advice}`;
}

/**
 * The dangers that nobody has accepted.
 * @param accepted `<topic>/<what>`, or `<what>` for every topic
 */
export function dangersAmong(
  differences: readonly TopicDifference[],
  accepted: readonly string[] = [],
): TopicDifference[] {
  const isAccepted = ({ topic, what }: TopicDifference): boolean =>
    ACCEPTABLE.has(what) && (accepted.includes(what) || accepted.includes(`${topic}/${what}`));
  return differences.filter((one) => one.dangerous && !isAccepted(one));
}

function howToAccept(differences: readonly TopicDifference[]): string[] {
  const risks = differences.filter(({ what }) => ACCEPTABLE.has(what)).map(({ topic, what }) => `${topic}/${what}`);
  if (risks.length === 0) return [];
  return [`To run with the risk all the same: HOOKLINE_ACCEPT_TOPIC_RISKS=${[...new Set(risks)].join()}`];
}
