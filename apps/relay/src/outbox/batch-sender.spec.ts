import { describe, expect, it } from '@jest/globals';
import { NotDurable, type Appended, type OutgoingRecord, type Output } from '@hookline/kafka';
import { BatchSender, KafkaRefuses } from './batch-sender.js';

const recordOf = (text: string): OutgoingRecord => ({ topic: 'events', value: Buffer.from(text) });
const refused = (): NotDurable => new NotDurable('refused', 'too large');

/** Refuses what comes together with something bad, as a broker refuses a whole batch, and appends the rest. */
class Broker implements Output {
  readonly appended: string[] = [];
  private together: string[] = [];

  constructor(private readonly isBad: (text: string) => boolean) {}

  async produce(record: OutgoingRecord): Promise<Appended> {
    const text = String(record.value);
    const batch = this.together;
    batch.push(text);
    await new Promise((resolve) => setImmediate(resolve));
    this.together = [];
    if (batch.some(this.isBad)) throw refused();
    this.appended.push(text);
    return { partition: 0, offset: 0 };
  }
}

describe('BatchSender', () => {
  it('refuses none but the record that Kafka means, where it refuses all that was sent with it', async () => {
    const broker = new Broker((text) => text === 'bad');
    const sent = await new BatchSender(broker).send(['1', 'bad', '2', '3'].map(recordOf));
    expect(sent).toEqual([{}, { refused: 'too large' }, {}, {}]);
    expect(broker.appended).toEqual(['1', '2', '3']);
  });

  it('blames no record where Kafka refuses every one: it may not let us write at all', async () => {
    const sender = new BatchSender(new Broker(() => true));
    await expect(sender.send(['1', '2'].map(recordOf))).rejects.toThrow(KafkaRefuses);
  });

  it('fails where the output was stopped', async () => {
    const stopped = { produce: () => Promise.reject(new NotDurable('stopped', 'the pump has stopped')) };
    await expect(new BatchSender(stopped).send([recordOf('1')])).rejects.toThrow('stopped');
  });

  it('has nothing to say of nothing', async () => {
    expect(await new BatchSender(new Broker(() => true)).send([])).toEqual([]);
  });
});
