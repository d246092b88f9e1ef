/** Of tables `subscription_health h` and `subscriptions s`: failures of before it was enabled don't count. */
const FAILING = `h.failing_since > coalesce(s.enabled_at, '-infinity') AND s.status = 'enabled'`;

/** $1: the time, $2: ms. Where nothing was tried for so long, nothing was due, or nobody there to try it. */
const IS_TRIED = `h.failed_at >= $1::timestamptz - $2 * interval '1 ms'`;

/** $3: times of failure, ms. Of each subscription the longest that has passed, if it was not warned of yet. Locks by id, as the recorder does. */
export const WARN = `
  WITH due AS (
    SELECT h.subscription_id AS id, h.failing_since, max(after.ms) AS ms
      FROM subscription_health h JOIN subscriptions s ON s.id = h.subscription_id,
           unnest($3::bigint[]) AS after(ms)
     WHERE ${FAILING} AND ${IS_TRIED}
       AND h.failing_since <= $1::timestamptz - after.ms * interval '1 ms' AND after.ms > h.warned_ms
     GROUP BY h.subscription_id, h.failing_since),
  locked AS MATERIALIZED (
    SELECT h.subscription_id AS id FROM subscription_health h WHERE h.subscription_id IN (SELECT id FROM due)
     ORDER BY h.subscription_id FOR UPDATE)
  UPDATE subscription_health h SET warned_ms = due.ms FROM due JOIN locked USING (id)
   WHERE h.subscription_id = due.id AND h.failing_since = due.failing_since
  RETURNING h.subscription_id AS id, h.failing_since AS "failingSince", h.warned_ms AS "afterMs"`;

/** Asked once, whatever number of subscriptions there is. */
const LAST_SUCCESS_BEFORE = (time: string): string =>
  `coalesce((SELECT max(minute) FROM success_minutes WHERE minute <= ${time}), '-infinity')`;

/**
 * Whether attempts got out of here, shown by successes of whatever subscription: by one since it began to fail, from which
 * the time counts, and by one shortly before it was last tried. $3: how long without a success, ms.
 *
 * When our own way out is down, everybody fails: only what the first two leave is asked about one by one. The second follows
 * from the third, for what was not tried for $2 is left out by then.
 */
const IS_PROVEN = `(
  h.failing_since <= ${LAST_SUCCESS_BEFORE(`$1::timestamptz - $3 * interval '1 ms'`)}
  AND ${LAST_SUCCESS_BEFORE(`'infinity'`)} >= $1::timestamptz - 2 * $2 * interval '1 ms'
  AND EXISTS (SELECT FROM success_minutes m
               WHERE m.minute < h.failed_at AND m.minute >= h.failed_at - $2 * interval '1 ms'))`;

const FAILING_LONG = `
    FROM subscription_health h JOIN subscriptions s ON s.id = h.subscription_id
   WHERE ${FAILING} AND ${IS_TRIED} AND h.failing_since <= $1::timestamptz - $3 * interval '1 ms'`;

/** $3: how long without a success, ms; $5: whether it needs proof. With the version that fails; the longest first. */
export const FAILING_VERSIONS = `
  SELECT s.id, s.version, h.failing_since AS "failingSince" ${FAILING_LONG} AND (NOT $5 OR ${IS_PROVEN})
   ORDER BY h.failing_since, s.id LIMIT $4`;

/** Those that fail for so long, and are left enabled: it may be that nothing gets out of here. */
export const UNPROVEN = `SELECT count(*) ${FAILING_LONG} AND NOT ${IS_PROVEN}`;

/** How many fail, by what was last warned of, ms. */
export const STAGES = `
  SELECT h.warned_ms AS "warnedMs", count(*)
    FROM subscription_health h JOIN subscriptions s ON s.id = h.subscription_id
   WHERE ${FAILING} GROUP BY 1 ORDER BY 1`;
