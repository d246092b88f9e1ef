/** What the pump tells whoever counts. */
export interface PumpObserver {
  /** One answer of a leader. `durationMs` is from the send to the answer. */
  flushed(flush: { leader: number; records: number; bytes: number; durationMs: number }): void;
  /** A send failed; what was in it is sent again or refused. */
  failed(fault: string): void;
  /** An answer left out this many partitions of what was sent. */
  unacknowledged(partitions: number): void;
  /** A producer lost its sequence: from here a repeat of what was out is possible. */
  producerReplaced(): void;
}

export const silentObserver: PumpObserver = {
  flushed: () => undefined,
  failed: () => undefined,
  unacknowledged: () => undefined,
  producerReplaced: () => undefined,
};
