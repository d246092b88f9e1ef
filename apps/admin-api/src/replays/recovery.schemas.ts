import type { z } from 'zod';
import { createReplay } from './replays.schemas.js';

/** A replay to one subscription; of all that {@link createReplay} takes, what makes sense there. */
export const recover = createReplay
  .pick({ from: true, to: true, types: true, subscriptions: true, rate: true, dryRun: true })
  .extend({
    outcome: createReplay.shape.outcome
      .unwrap()
      .default('failed')
      .describe('Which deliveries: those dead-lettered, all that were not delivered, or all.'),
  });
export type Recover = z.infer<typeof recover>;
