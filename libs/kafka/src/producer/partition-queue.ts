import { RecordQueue } from './record-queue.js';

/** What waits for one partition. */
export class PartitionQueue extends RecordQueue {
  /**
   * A batch is out. Nothing newer leaves before it is settled, by whichever lane: after a change of leader that
   * keeps both the order and the sequence of the producer that began it.
   */
  busy = false;

  constructor(
    readonly topic: string,
    readonly partition: number,
    public leader: number,
  ) {
    super();
  }
}
