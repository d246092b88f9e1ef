import { enqueueEvents } from '@hookline/outbox';
import type { Outbox } from '../site/outbox.js';
import type { Planned } from './plan.js';
import type { Place, Way } from './way.js';

const UNTOLD: Place = { partition: -1, offset: -1 };

/** A producer that writes events with transactions of its own: one whose commit was answered is acknowledged. */
export class OutboxWay implements Way {
  constructor(
    private readonly outbox: Outbox,
    private readonly tenant: string,
  ) {}

  publish({ id, type, key, data }: Planned): Promise<Place | undefined> {
    const event = { tenant: this.tenant, id, type, data, ...(key === undefined ? {} : { key }) };
    return enqueueEvents(this.outbox, [event]).then(
      () => UNTOLD,
      () => undefined,
    );
  }

  close(): void {
    // The connections are those of the outbox.
  }
}
