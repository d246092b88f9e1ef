import { NotDurable, type OutgoingRecord, type Output } from '@hookline/kafka';

/** What became of a record; `refused` is what Kafka said, where it will never take it. */
export type Sent = { refused?: undefined } | { refused: string };

/** Kafka refuses everything: that is no fault of the records. */
export class KafkaRefuses extends Error {
  override name = 'KafkaRefuses';
}

/**
 * Sends batches, and waits for as long as it takes. There is no deadline, for what is given up here may still be
 * appended: after later records of its key, if those went first.
 */
export class BatchSender {
  constructor(private readonly output: Output) {}

  /**
   * @returns what became of each, in their order
   * @throws NotDurable where the output was stopped; KafkaRefuses
   */
  async send(records: readonly OutgoingRecord[]): Promise<Sent[]> {
    const results = await Promise.all(records.map((record) => this.one(record)));
    // Kafka refuses all that goes to a partition together: alone, only those that it means are refused.
    for (const [index, { refused }] of results.entries())
      if (refused !== undefined) results[index] = await this.one(records[index] as OutgoingRecord);
    const refusals = results.filter(({ refused }) => refused !== undefined);
    if (refusals.length > 0 && refusals.length === records.length)
      throw new KafkaRefuses(`Kafka takes none of ${refusals.length} events: ${refusals[0]?.refused}`);
    return results;
  }

  private async one(record: OutgoingRecord): Promise<Sent> {
    try {
      await this.output.produce(record);
      return {};
    } catch (error) {
      if (error instanceof NotDurable && error.reason === 'refused') return { refused: error.message };
      throw error;
    }
  }
}
