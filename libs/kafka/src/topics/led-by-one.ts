/** Kafka's own words for where the copies of a partition are; the first one leads while it is up. */
export interface ReplicaAssignment {
  partition: number;
  replicas: number[];
}

/**
 * Copies for partitions that the lowest broker leads, all of them; the others take turns in who has the next ones, so
 * that they share the work when it is away.
 * @param brokers their ids; at least as many as copies
 */
export function ledByOne(partitions: number, copies: number, brokers: readonly number[]): ReplicaAssignment[] {
  const [leader, ...others] = brokers.toSorted((a, b) => a - b) as [number, ...number[]];
  return Array.from({ length: partitions }, (_, partition) => ({
    partition,
    replicas: [
      leader,
      ...others.map((_other, i) => others[(partition + i) % others.length] as number).slice(0, copies - 1),
    ],
  }));
}
