-- The outbox of Hookline, for a producer's own PostgreSQL: docs/relay.md. May be run again.
-- Made by `hookline outbox-schema` from the settings HOOKLINE_MAX_*.

-- Two that run it at once, each in a transaction, would otherwise both make the tables.
SELECT pg_advisory_xact_lock(hashtext('hookline_outbox'), 0);

CREATE TABLE IF NOT EXISTS hookline_outbox (
  seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shard      smallint NOT NULL,
  tenant     text,
  id         text NOT NULL DEFAULT 'evt_' || replace(gen_random_uuid()::text, '-', ''),
  type       text NOT NULL,
  key        text,
  time       timestamptz NOT NULL DEFAULT clock_timestamp(),
  data       json NOT NULL,
  written_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE TABLE IF NOT EXISTS hookline_outbox_refused (
  number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  seq        bigint NOT NULL,
  tenant     text,
  id         text NOT NULL,
  type       text NOT NULL,
  key        text,
  time       timestamptz NOT NULL,
  data       json NOT NULL,
  written_at timestamptz NOT NULL,
  refused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  reason     text NOT NULL
);

CREATE OR REPLACE FUNCTION hookline_outbox_check() RETURNS trigger LANGUAGE plpgsql AS $check$
DECLARE
  controls CONSTANT text := '[\u0001-\u001f\u007f-\u009f]';
  fault text;
BEGIN
  IF NEW.id = '' OR length(NEW.id) > 128 OR NEW.id ~ controls THEN
    fault := 'id must have 1 to 128 characters, and no control characters';
  ELSIF length(NEW.type) > 128 OR NEW.type !~ '^[A-Za-z0-9_:/-]+(\.[A-Za-z0-9_:/-]+)*$' THEN
    fault := 'type must be words of A-Z a-z 0-9 _ : / - with dots between, and no longer than 128 characters';
  ELSIF NEW.key = '' OR length(NEW.key) > 256 OR NEW.key ~ controls THEN
    fault := 'key must have 1 to 256 characters, and no control characters';
  ELSIF octet_length(NEW.data::text) > 262144 THEN
    fault := 'data must not be larger than 262144 bytes';
  ELSIF NEW.time < '0001-01-02T00:00:00Z' OR NEW.time > '9999-12-30T00:00:00Z' THEN
    fault := 'time must be in the years 1 to 9999';
  END IF;
  IF fault IS NOT NULL THEN
    RAISE EXCEPTION 'hookline_outbox: %', fault USING ERRCODE = 'check_violation', TABLE = 'hookline_outbox';
  END IF;
  NEW.shard := get_byte(sha256(convert_to(coalesce(NEW.key, NEW.id), 'UTF8')), 0) % 32;
  RETURN NEW;
END
$check$;

CREATE OR REPLACE FUNCTION hookline_outbox_notify() RETURNS trigger LANGUAGE plpgsql AS $notify$
BEGIN
  PERFORM pg_notify('hookline_outbox_rows', '');
  RETURN NULL;
END
$notify$;

DO $triggers$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'hookline_outbox'::regclass AND tgname = 'hookline_outbox_check') THEN
    CREATE TRIGGER hookline_outbox_check BEFORE INSERT OR UPDATE ON hookline_outbox
      FOR EACH ROW EXECUTE FUNCTION hookline_outbox_check();
  END IF;
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'hookline_outbox'::regclass AND tgname = 'hookline_outbox_notify') THEN
    CREATE TRIGGER hookline_outbox_notify AFTER INSERT ON hookline_outbox
      FOR EACH STATEMENT EXECUTE FUNCTION hookline_outbox_notify();
  END IF;
END
$triggers$;

-- Publishes an event with the transaction that calls it. Returns the event's id.
CREATE OR REPLACE FUNCTION hookline_publish(
  type text, data json, key text DEFAULT NULL, id text DEFAULT NULL, at timestamptz DEFAULT NULL, tenant text DEFAULT NULL
) RETURNS text LANGUAGE sql AS $publish$
  INSERT INTO hookline_outbox AS o (tenant, id, type, key, time, data)
  VALUES (
    hookline_publish.tenant,
    coalesce(hookline_publish.id, 'evt_' || replace(gen_random_uuid()::text, '-', '')),
    hookline_publish.type,
    hookline_publish.key,
    coalesce(hookline_publish.at, clock_timestamp()),
    hookline_publish.data
  ) RETURNING o.id
$publish$;

-- Called before it publishes: a transaction waits here for any other one that called it with the same key, until that has
-- ended. The key's events are then in the order of the transactions.
CREATE OR REPLACE FUNCTION hookline_in_order(key text) RETURNS void LANGUAGE sql AS $in_order$
  SELECT pg_advisory_xact_lock(hashtext('hookline_outbox'), hashtext(hookline_in_order.key))
$in_order$;

-- Puts refused rows back, one by its number or all of them, once the reason is gone. Returns how many.
CREATE OR REPLACE FUNCTION hookline_outbox_retry(number bigint DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $retry$
  WITH refused AS (
    DELETE FROM hookline_outbox_refused r
    WHERE hookline_outbox_retry.number IS NULL OR r.number = hookline_outbox_retry.number
    RETURNING r.*
  ), back AS (
    INSERT INTO hookline_outbox (tenant, id, type, key, time, data)
    SELECT r.tenant, r.id, r.type, r.key, r.time, r.data FROM refused r ORDER BY r.number
    RETURNING 1
  )
  SELECT count(*) FROM back
$retry$;
