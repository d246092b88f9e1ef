import { TOPICS, type LogPosition } from '@hookline/contracts';
import type { TopicSpec } from '@hookline/kafka';
import type { CopiesOf } from '@hookline/persistence';

/** Brokers look for what has aged out every five minutes (`log.retention.check.interval.ms`). */
const CHECK_MS = 300_000;

/** A topic that may still hold a payload, and when it surely holds it no more; ms since the epoch. */
export interface LogCopy {
  topic: string;
  until: number;
}

/**
 * Where the log may still hold the payload of an event. What is said is a bound: whether a delivery went through a lane
 * is not in the history, nor whether an endpoint answered with what it got.
 * @param plan the topics as they are kept
 * @param windowMs for how long an open delivery may go on from lane to lane
 */
export function logCopies(
  plan: readonly TopicSpec[],
  events: readonly LogPosition[],
  deliveries: CopiesOf,
  windowMs: number,
  now: number,
): LogCopy[] {
  const appended = Math.max(...events.map(({ at }) => at));
  const latest = deliveries.underWay ? now + windowMs : deliveries.latest?.getTime();
  const written = ({ name, kind }: TopicSpec): number | undefined => {
    if (name === TOPICS.events) return appended;
    if (kind === 'lane' || name === TOPICS.attempts) return latest;
    if (name === TOPICS.deadLetters && (deliveries.underWay || deliveries.deadLettered)) return latest;
    return undefined;
  };
  return plan.flatMap((spec) => {
    const at = written(spec);
    const until = at === undefined ? 0 : at + keptMs(spec);
    return until > now ? [{ topic: spec.name, until }] : [];
  });
}

/** For how long a topic may have a record, ms: whole segments are deleted, so the last record of one waits for none and the first for all of it. */
export function keptMs({ configs }: TopicSpec): number {
  return Number(configs['retention.ms']) + Number(configs['segment.ms']) + CHECK_MS;
}
