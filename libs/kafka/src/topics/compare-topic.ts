import type { TopicDifference } from './topic-difference.js';
import type { ActualTopic, TopicSpec } from './topic-spec.js';

/**
 * How a topic that is there differs from what it should be. Lane partition counts are not looked at here: they are
 * a matter between lanes.
 */
export function compareTopic(spec: TopicSpec, actual: ActualTopic): TopicDifference[] {
  const differences: TopicDifference[] = [];
  const differs = (
    what: string,
    expected: string | number,
    found: string | number,
    dangerous: boolean,
    advice: string,
  ) =>
    differences.push({ topic: spec.name, what, expected: String(expected), actual: String(found), dangerous, advice });

  comparePartitions(spec, actual, differs);
  if (actual.replicationFactor < spec.replicationFactor)
    differs(
      'replication.factor',
      spec.replicationFactor,
      actual.replicationFactor,
      true,
      'Raise it with kafka-reassign-partitions, or set HOOKLINE_REPLICATION_FACTOR to what is there.',
    );
  for (const name of ['message.timestamp.type', 'cleanup.policy', 'unclean.leader.election.enable'] as const) {
    const expected = spec.configs[name];
    const found = actual.configs[name];
    if (expected !== undefined && found !== undefined && found !== expected)
      differs(name, expected, found, true, `${setConfig(name, expected)} ${WHY[name]}`);
  }
  compareAtLeast('min.insync.replicas', true, 'An acknowledgement would stand for fewer copies than promised.');
  compareAtLeast('max.message.bytes', false, 'Large deliveries with a long history may be refused.');
  compareRetention();
  compareSize();
  return differences;

  function compareAtLeast(name: string, dangerous: boolean, why: string): void {
    const expected = spec.configs[name];
    const found = actual.configs[name];
    if (expected !== undefined && found !== undefined && Number(found) < Number(expected))
      differs(name, expected, found, dangerous, `${setConfig(name, expected)} ${why}`);
  }

  function compareRetention(): void {
    const expected = spec.configs['retention.ms'];
    const found = actual.configs['retention.ms'];
    if (expected === undefined || found === undefined || found === expected) return;
    // -1 keeps for ever
    const keptMs = found === '-1' ? Infinity : Number(found);
    const neededMs = Math.max(spec.delayMs ?? 0, spec.neededMs ?? 0);
    if (keptMs < neededMs)
      differs(
        'retention.ms',
        `at least ${neededMs}`,
        found,
        true,
        `${setConfig('retention.ms', expected)} ${TOO_SHORT}`,
      );
    else differs('retention.ms', expected, found, false, setConfig('retention.ms', expected));
  }

  function compareSize(): void {
    const found = actual.configs['retention.bytes'];
    if (spec.kind !== 'compacted' && found !== undefined && found !== '-1')
      differs('retention.bytes', '-1', found, false, `${setConfig('retention.bytes', '-1')} ${TOO_SMALL}`);
  }
}

type Differs = (what: string, expected: number, found: number, dangerous: boolean, advice: string) => void;

function comparePartitions(spec: TopicSpec, actual: ActualTopic, differs: Differs): void {
  if (actual.partitions === spec.partitions || spec.kind === 'lane') return;
  if (spec.kind === 'compacted')
    differs(
      'partitions',
      1,
      actual.partitions,
      true,
      'Make the topic anew: versions of one id must stay in one order.',
    );
  else
    differs(
      'partitions',
      spec.partitions,
      actual.partitions,
      false,
      'It is used as it is; the setting is for new topics.',
    );
}

const WHY = {
  'message.timestamp.type': "By a producer's own time, records are deleted too soon and retries come early.",
  'cleanup.policy': 'Records would be deleted that are still needed, or never be deleted.',
  'unclean.leader.election.enable':
    'A copy that is behind could become leader, and acknowledged records would be lost.',
} as const;

const TOO_SHORT = 'Deliveries would be deleted before they are due.';
const TOO_SMALL = 'In a busy hour records would be deleted before their time.';

const setConfig = (name: string, value: string): string =>
  `Set it with kafka-configs --alter --add-config ${name}=${value}.`;
