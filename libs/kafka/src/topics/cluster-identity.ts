import { Refusal } from '@hookline/platform';

/** Another Kafka cluster than the one that is meant answers: offsets and versions of one mean nothing in the other. */
export class WrongCluster extends Refusal {
  override name = 'WrongCluster';
}

/**
 * @param actual the id of the cluster that answers
 * @param meant `HOOKLINE_KAFKA_CLUSTER_ID`; whoever sets it has decided, and what is remembered doesn't count then
 * @param remembered the id that was written down, by who remembers it
 * @throws WrongCluster
 */
export function assertCluster(
  actual: string,
  meant: string | undefined,
  remembered: Readonly<Record<string, string | undefined>>,
): void {
  if (meant !== undefined) {
    if (meant === actual) return;
    throw new WrongCluster(
      `This is another Kafka than the one that is meant: its cluster id is ${actual}, and HOOKLINE_KAFKA_CLUSTER_ID says ${meant}. Nothing was written. Look at KAFKA_BROKERS.`,
    );
  }
  for (const [who, id] of Object.entries(remembered))
    if (id !== undefined && id !== actual)
      throw new WrongCluster(
        `This is another Kafka than before: its cluster id is ${actual}, and ${who} says ${id}. Nothing was written. Look at KAFKA_BROKERS and DATABASE_URL; if this cluster is meant (its positions in the log are not those of the other one: history, replays and held events refer to that), set HOOKLINE_KAFKA_CLUSTER_ID=${actual} and run the set-up.`,
      );
}
