import { UnreadableRecord, type SubscriptionRecord } from '@hookline/contracts';
import type { Entries } from '@hookline/kafka';
import type { Targets } from './targets.js';

/** The records of the targets, for the view: what they have of each subscription it need not keep once more. */
export function recordsIn(targets: Targets): Entries<SubscriptionRecord> {
  return {
    get size() {
      return targets.size;
    },
    get: (id) => targets.get(id)?.record,
    set: (id, record) => {
      // It would be read again for ever, and no worker would learn of anything after it.
      if (!Array.isArray(record.types)) throw new UnreadableRecord('a subscription without types');
      targets.apply(id, record);
    },
    delete: (id) => targets.apply(id, undefined),
  };
}
