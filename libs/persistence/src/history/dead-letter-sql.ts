/** Which dead letters; what is absent is not asked for. */
export interface DeadLetterFilter {
  tenantId: string;
  subscriptionIds?: readonly string[];
  reasons?: readonly string[];
  /** Exact types, `prefix.*` or `*`. */
  types?: readonly string[];
  /** By the append time of the event, inclusive. */
  from?: Date;
  /** Exclusive. */
  to?: Date;
  /** uuids */
  deliveries?: readonly string[];
}

/** $1 to $8 of {@link WANTED}. */
export function wantedParameters(filter: DeadLetterFilter): unknown[] {
  const patterns = filter.types?.includes('*') ? undefined : filter.types;
  return [
    filter.tenantId,
    filter.subscriptionIds ?? null,
    filter.reasons ?? null,
    patterns?.filter((pattern) => !pattern.endsWith('.*')) ?? null,
    patterns?.filter((pattern) => pattern.endsWith('.*')).map((pattern) => pattern.slice(0, -1)) ?? null,
    filter.from ?? null,
    filter.to ?? null,
    filter.deliveries ?? null,
  ];
}

/** How many parameters {@link wantedParameters} are. */
export const WANTED_PARAMETERS = 8;

/** The subscriptions that may have some, the deleted ones included; so their index is used, and none is needed by tenant. */
export const ITS_SUBSCRIPTIONS = `
  SELECT s.id COLLATE "C" AS id, s.status FROM subscriptions s
   WHERE s.tenant_id = $1 AND ($2::text[] IS NULL OR s.id = ANY($2))`;

/** Of a table `deliveries d`. The first condition is that of the partial index. */
export const WANTED = `d.state <> 'delivered' AND d.state = 'dead-lettered' AND d.tenant_id = $1
   AND ($3::text[] IS NULL OR d.reason = ANY($3))
   AND ($4::text[] IS NULL OR d.type = ANY($4)
        OR EXISTS (SELECT FROM unnest($5::text[]) AS p(prefix) WHERE starts_with(d.type, p.prefix)))
   AND ($6::timestamptz IS NULL OR d.event_at >= $6) AND ($7::timestamptz IS NULL OR d.event_at < $7)
   AND ($8::uuid[] IS NULL OR d.delivery_id = ANY($8))`;

/** What was discarded of `deliveries d`, as `x`; a later outcome is a dead letter again. */
export const DISCARDS = `LEFT JOIN dead_letter_discards x
    ON x.delivery_id = d.delivery_id AND x.event_at = d.event_at AND x.letter_at = d.updated_at`;

/** The time, in SQL, of a number in JSON that is ms since the epoch; null where there is none. */
function timeIn(value: string): string {
  return `CASE WHEN jsonb_typeof(${value}) = 'number' THEN to_timestamp((${value})::float8 / 1000) END`;
}

/** Of `deliveries d`: nothing of its event can be sent any more. */
export const IS_EXPUNGED = `(d.reason IS NOT DISTINCT FROM 'expunged' OR EXISTS (
    SELECT FROM expunged_events g
     WHERE g.partition = d.event_partition AND g."offset" = d.event_offset AND g.appended_at = d.event_at))`;

/** Of a replay `r` and a delivery `d`: it was handed over, in the order of the log, where nothing cut it off before. */
const HANDED_OVER = `d.event_offset < (r.partitions->(d.event_partition::text)->>'next')::bigint`;

/**
 * Of a catch-up `r` that has ended: it has handed `deliveries d` over, and history has no outcome of that yet. The letter
 * is from before it: either no replay brought that about, for what was in the lanes then was superseded, or it is older
 * by its time. What a later catch-up has superseded has no outcome any more, and what waits in no lane any more neither.
 */
const UNTOLD = `r.finished_at > now() - interval '7 days' AND ${HANDED_OVER}
  AND (d.replay_id IS NULL OR d.updated_at < r.started_at)
  AND NOT EXISTS (SELECT FROM replay_deliveries o
                   WHERE o.replay_id = r.id AND o.delivery_id = d.delivery_id AND o.event_at = d.event_at)
  AND NOT EXISTS (SELECT FROM replays later
                   WHERE later.subscription_id = r.subscription_id AND later.kind = 'catch-up' AND later.version > r.version)`;

/**
 * A replay of chosen deliveries brings `deliveries d`, or has handed it over, and nothing has come of it yet; one that was
 * cancelled brings only what it had handed over by then. Or a catch-up does, as its subscription has missed it: see
 * `missedSince` in missed-deliveries.ts.
 */
export const UNDER_WAY = `(EXISTS (
    SELECT FROM replay_choices c JOIN replays r ON r.id = c.replay_id
     WHERE c.delivery_id = d.delivery_id AND c.event_at = d.event_at AND c.letter_at = d.updated_at
       AND (r.finished_at IS NULL OR ${HANDED_OVER}))
  OR d.reason IN ('expired', 'endpoint-gone') AND EXISTS (
    SELECT FROM replays r
     WHERE r.subscription_id = d.subscription_id AND r.kind = 'catch-up'
       AND d.updated_at >= ${timeIn("r.spec->'missedSince'")}
       AND d.event_at >= coalesce(${timeIn("r.spec->'from'->'timestamp'")}, '-infinity')
       AND (r.finished_at IS NULL OR ${UNTOLD})))`;
