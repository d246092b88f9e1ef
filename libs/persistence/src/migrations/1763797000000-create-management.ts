import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people manage: tenants, keys, subscriptions, replays, and the outbox towards the compacted topics. */
export class CreateManagement1763797000000 implements MigrationInterface {
  readonly name = 'CreateManagement1763797000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE tenants (
        id text NOT NULL CONSTRAINT tenants_pkey PRIMARY KEY,
        name text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );

      CREATE TABLE api_keys (
        id text NOT NULL CONSTRAINT api_keys_pkey PRIMARY KEY,
        tenant_id text NOT NULL CONSTRAINT api_keys_tenant_fkey REFERENCES tenants (id),
        hash text NOT NULL,
        hint text NOT NULL,
        name text NOT NULL,
        status text NOT NULL,
        version integer NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        revoked_at timestamptz
      );
      CREATE INDEX api_keys_tenant_idx ON api_keys (tenant_id);

      CREATE TABLE subscriptions (
        id text NOT NULL CONSTRAINT subscriptions_pkey PRIMARY KEY,
        tenant_id text NOT NULL CONSTRAINT subscriptions_tenant_fkey REFERENCES tenants (id),
        url text NOT NULL,
        types text[] NOT NULL,
        status text NOT NULL,
        description text,
        sealed text NOT NULL,
        version integer NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      );
      CREATE INDEX subscriptions_tenant_idx ON subscriptions (tenant_id);

      CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT outbox_pkey PRIMARY KEY,
        topic text NOT NULL,
        key text NOT NULL,
        version integer NOT NULL,
        payload jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT outbox_topic_key_version_key UNIQUE (topic, key, version)
      );

      CREATE TABLE replays (
        id text NOT NULL CONSTRAINT replays_pkey PRIMARY KEY,
        tenant_id text,
        spec jsonb NOT NULL,
        status text NOT NULL,
        partitions jsonb NOT NULL DEFAULT '{}',
        scanned bigint NOT NULL DEFAULT 0,
        matched bigint NOT NULL DEFAULT 0,
        sent bigint NOT NULL DEFAULT 0,
        error text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz
      );
      CREATE INDEX replays_tenant_idx ON replays (tenant_id, created_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE replays, outbox, subscriptions, api_keys, tenants');
  }
}
