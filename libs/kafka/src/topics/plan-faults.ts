import type { TopicDifference } from './topic-difference.js';
import type { TopicSpec } from './topic-spec.js';

/** What is wrong with the plan itself, before anything is made of it. */
export function planFaults(plan: readonly TopicSpec[], brokers: number, there: ReadonlySet<string>): TopicDifference[] {
  return plan.flatMap((spec) => [
    ...retentionFault(spec),
    ...windowFault(spec),
    ...minInsyncFault(spec),
    ...copiesFault(spec, brokers),
    ...(there.has(spec.name) ? [] : brokersFault(spec, brokers)),
  ]);
}

function retentionFault({ name, delayMs, configs }: TopicSpec): TopicDifference[] {
  const retentionMs = Number(configs['retention.ms']);
  if (delayMs === undefined || retentionMs >= delayMs) return [];
  return [
    {
      topic: name,
      what: 'planned retention.ms',
      expected: `at least ${delayMs}`,
      actual: String(retentionMs),
      dangerous: true,
      advice: 'Raise HOOKLINE_RETRY_RETENTION, or shorten HOOKLINE_RETRY_DELAYS.',
    },
  ];
}

function minInsyncFault({ name, replicationFactor, configs }: TopicSpec): TopicDifference[] {
  const minInsync = configs['min.insync.replicas'];
  if (minInsync === undefined || Number(minInsync) <= replicationFactor) return [];
  return [
    {
      topic: name,
      what: 'planned min.insync.replicas',
      expected: `at most ${replicationFactor}`,
      actual: minInsync,
      dangerous: true,
      advice: 'HOOKLINE_MIN_INSYNC_REPLICAS must not be above HOOKLINE_REPLICATION_FACTOR: nothing could be written.',
    },
  ];
}

function brokersFault({ name, replicationFactor }: TopicSpec, brokers: number): TopicDifference[] {
  if (brokers >= replicationFactor) return [];
  return [
    {
      topic: name,
      what: 'number of brokers',
      expected: `at least ${replicationFactor}`,
      actual: String(brokers),
      dangerous: true,
      advice: 'Start the missing brokers, or set HOOKLINE_REPLICATION_FACTOR (and HOOKLINE_MIN_INSYNC_REPLICAS) lower.',
    },
  ];
}

function windowFault({ name, neededMs, configs }: TopicSpec): TopicDifference[] {
  if (neededMs === undefined || Number(configs['retention.ms']) >= neededMs) return [];
  return [
    {
      topic: name,
      what: 'planned retention.ms',
      expected: `at least ${neededMs}`,
      actual: String(configs['retention.ms']),
      dangerous: true,
      advice: 'Shorten HOOKLINE_DELIVERY_WINDOW: a delivery must not be tried for longer than its lane keeps it.',
    },
  ];
}

/** As asked for by name, so not refused; but never silently, where there are brokers for more. */
function copiesFault({ name, replicationFactor, configs }: TopicSpec, brokers: number): TopicDifference[] {
  if (brokers < 3 || (replicationFactor > 1 && configs['min.insync.replicas'] !== '1')) return [];
  return [
    {
      topic: name,
      what: 'planned copies',
      expected: 'three, of which two are in sync',
      actual: `${replicationFactor}, of which ${configs['min.insync.replicas'] ?? '1'} in sync`,
      dangerous: false,
      advice: 'What is acknowledged stands for one copy: losing a broker may lose it.',
    },
  ];
}
