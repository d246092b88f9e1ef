import type { Planned } from './plan.js';

/** Where the log has it, as the answer said; negative where that is not told. */
export interface Place {
  partition: number;
  offset: number;
}

/** How events get into Hookline. */
export interface Way {
  /** @returns undefined where it is not known to be durable. @throws Error where it was refused for good */
  publish(event: Planned): Promise<Place | undefined>;
  close(): void;
}
