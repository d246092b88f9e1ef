/**
 * What stands between the reader and what the recorder has, for each partition: one statement, and so one snapshot of
 * the offsets, the gaps and the rows. (A statement locks `events` before it takes its snapshot: a day that is dropped is
 * either still there, or noted.) The look is bounded by offsets, for rows of other tenants cost as much as one's own.
 *
 * $1, $2 the reader's position; $3 tenant; $4 exact types, $5 prefixes, both null: all; $6 heads for each partition;
 * $7 offsets for each partition; $8 the topic
 */
export const LOOK = `
  SELECT c.partition, c.next, c.recorded, c.upto, c.gaps, h.offsets, h.times, h.sizes
    FROM (
      SELECT b.*, least(b.recorded, b.next + $7, (
               SELECT min(g.from_offset) FROM recorder_gaps g
                WHERE g.topic = $8 AND g.partition = b.partition AND g.reason = 'log-retention' AND g.from_offset > b.next
             )) AS upto, (
               SELECT json_agg(json_build_object('from', g.from_offset, 'to', g.to_offset, 'reason', g.reason,
                        'fromAt', extract(epoch FROM g.from_at) * 1000, 'toAt', extract(epoch FROM g.to_at) * 1000))
                 FROM recorder_gaps g WHERE g.topic = $8 AND g.partition = b.partition AND g.to_offset > b.next
             ) AS gaps
        FROM (
          SELECT o.partition, coalesce(k.next, 0) AS next, o.next_offset AS recorded
            FROM recorder_offsets o
            LEFT JOIN unnest($1::int4[], $2::int8[]) AS k(partition, next) ON k.partition = o.partition
           WHERE o.topic = $8
        ) b
    ) c
    CROSS JOIN LATERAL (
      SELECT array_agg(e."offset" ORDER BY e."offset") AS offsets,
             array_agg(e.appended_at ORDER BY e."offset") AS times,
             array_agg(e.size ORDER BY e."offset") AS sizes
        FROM (
          SELECT e."offset", e.appended_at, e.size FROM events e
           WHERE e.partition = c.partition AND e."offset" >= c.next AND e."offset" < c.upto AND e.tenant_id = $3
             AND ($4::text[] IS NULL OR e.type = ANY($4)
                  OR EXISTS (SELECT FROM unnest($5::text[]) AS p(prefix) WHERE starts_with(e.type, p.prefix)))
             AND (SELECT r.duplicate_of FROM event_routes r
                   WHERE r.partition = e.partition AND r."offset" = e."offset" AND r.appended_at = e.appended_at) IS NULL
           ORDER BY e."offset" LIMIT $6
        ) e
    ) h
   ORDER BY c.partition`;

/** $1 partitions, $2 offsets, $3 append times; $4, $5 the first and last of these, to leave out the other days */
export const ROWS = `
  SELECT e.partition, e."offset", e.appended_at, e.event_id, e.type, e.time, e.key, e.payload
    FROM unnest($1::int4[], $2::int8[], $3::timestamptz[]) AS p(partition, "offset", appended_at)
    JOIN events e ON e.partition = p.partition AND e."offset" = p."offset" AND e.appended_at = p.appended_at
   WHERE e.appended_at BETWEEN $4 AND $5`;

/**
 * What has come since these positions, for any of these tenants: again offsets, gaps and rows of one snapshot.
 *
 * $1, $2 positions; $3 tenants; $4 offsets for each partition; $5 the topic
 */
export const NEWS = `
  SELECT c.partition, c.upto, n.tenants, n.types,
         EXISTS (SELECT FROM recorder_gaps g WHERE g.topic = $5 AND g.partition = c.partition
                    AND g.to_offset > c.next AND g.from_offset <= c.upto) AS gap
    FROM (
      SELECT o.partition, coalesce(k.next, 0) AS next, least(o.next_offset, coalesce(k.next, 0) + $4) AS upto
        FROM recorder_offsets o
        LEFT JOIN unnest($1::int4[], $2::int8[]) AS k(partition, next) ON k.partition = o.partition
       WHERE o.topic = $5 AND o.next_offset > coalesce(k.next, 0)
    ) c
    CROSS JOIN LATERAL (
      SELECT array_agg(e.tenant_id) AS tenants, array_agg(e.type) AS types
        FROM (
          SELECT DISTINCT e.tenant_id, e.type FROM events e
           WHERE e.partition = c.partition AND e."offset" >= c.next AND e."offset" < c.upto AND e.tenant_id = ANY($3)
        ) e
    ) n`;

/** $1 partition; $2 append time, or null for the first of all; $3 below this offset */
export const FIRST = `
  SELECT min("offset") AS first FROM events
   WHERE partition = $1 AND "offset" < $3 AND ($2::timestamptz IS NULL OR appended_at >= $2)`;

/** $1 partition; $2, $3 the offsets between which something is gone */
export const EDGES = `
  SELECT (SELECT appended_at FROM events WHERE partition = $1 AND "offset" < $2 ORDER BY "offset" DESC LIMIT 1) AS before,
         (SELECT appended_at FROM events WHERE partition = $1 AND "offset" >= $3 ORDER BY "offset" LIMIT 1) AS after`;
