/**
 * The keys of an outbox are shared out among the relays in so many parts. It is written into the table's rows, so that
 * relays with other settings can't both take a key.
 */
export const SHARDS = 32;

/** PostgreSQL tells relays of new rows on this channel, when the transaction that wrote them commits. */
export const ROWS_CHANNEL = 'hookline_outbox_rows';

/** What an event may have, as far as PostgreSQL can tell; the relay looks again, with its own settings. */
export interface OutboxLimits {
  /** Characters at most. */
  maxIdLength: number;
  maxTypeLength: number;
  maxKeyLength: number;
  /** Bytes of data at most. */
  maxEventBytes: number;
}

/** The defaults of the settings HOOKLINE_MAX_*. */
export const DEFAULT_LIMITS: OutboxLimits = {
  maxIdLength: 128,
  maxTypeLength: 128,
  maxKeyLength: 256,
  maxEventBytes: 262_144,
};
