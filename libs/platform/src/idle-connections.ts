import { createRequire } from 'node:module';

/** What is used here of a connection's queue of requests in kafkajs 2.2.4 (`network/requestQueue`). */
interface RequestQueue {
  readonly pending: readonly unknown[];
  /** Until when the broker wants no requests, ms since the epoch; -1 while it has not said so. */
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

/** While as many requests are out as may be; an answer looks at what waits anyway. */
const CROWDED_CHECK_MS = 10;

/**
 * Lets a connection without waiting requests be idle. After each answer kafkajs 2.2.4 arms a timer for the end of the
 * broker's throttling, also where there is none: its delay is negative, so Node makes it 1 ms, and it arms itself again
 * for ever (#1751 knows of the warning only). Each process of ours woke 900 times a second for that, and took 3 to 4 %
 * of a core at rest.
 */
export function letConnectionsIdle(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    prototype: RequestQueue;
  };
  prototype.scheduleCheckPendingRequests = scheduleWhatWaits;
}

function scheduleWhatWaits(this: RequestQueue): void {
  if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return;
  const throttledMs = this.throttledUntil - Date.now();
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    throttledMs > 0 ? throttledMs : CROWDED_CHECK_MS,
  );
}
