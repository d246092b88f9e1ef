import type { DatabaseConfig } from '@hookline/config';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { connectionOptions } from './connection-options.js';
import { ApiKey } from './management/api-key.entity.js';
import { OutboxEntry } from './management/outbox.entity.js';
import { Replay } from './management/replay.entity.js';
import { Subscription } from './management/subscription.entity.js';
import { Tenant } from './management/tenant.entity.js';
import { CreateManagement1763797000000 } from './migrations/1763797000000-create-management.js';
import { CreateHistory1763797000001 } from './migrations/1763797000001-create-history.js';
import { AddSubscriptionLimits1763797000002 } from './migrations/1763797000002-add-subscription-limits.js';
import { AddHeldSpans1763797000003 } from './migrations/1763797000003-add-held-spans.js';
import { AddReplayKinds1763797000004 } from './migrations/1763797000004-add-replay-kinds.js';
import { RememberCluster1763797000009 } from './migrations/1763797000009-remember-cluster.js';
import { AddSubscriptionHealth1763797000010 } from './migrations/1763797000010-add-subscription-health.js';
import { AddRecorderGaps1763797000011 } from './migrations/1763797000011-add-recorder-gaps.js';
import { AddDeadLetters1763797000012 } from './migrations/1763797000012-add-dead-letters.js';
import { AddExpungedPayloads1763797000013 } from './migrations/1763797000013-add-expunged-payloads.js';
import { KeepStamps1763797000014 } from './migrations/1763797000014-keep-stamps.js';
import { AddExchanges1763797000015 } from './migrations/1763797000015-add-exchanges.js';
import { IndexHeld1763797000020 } from './migrations/1763797000020-index-held.js';
import { AddSuccessMinutes1763797000021 } from './migrations/1763797000021-add-success-minutes.js';
import { DiscardRecords1763797000022 } from './migrations/1763797000022-discard-records.js';
import { SettleWhatWasHeld1763797000023 } from './migrations/1763797000023-settle-what-was-held.js';

export const ENTITIES = [Tenant, ApiKey, Subscription, OutboxEntry, Replay];

/** In the order in which they are run. */
export const MIGRATIONS = [
  CreateManagement1763797000000,
  CreateHistory1763797000001,
  AddSubscriptionLimits1763797000002,
  AddHeldSpans1763797000003,
  AddReplayKinds1763797000004,
  RememberCluster1763797000009,
  AddSubscriptionHealth1763797000010,
  AddRecorderGaps1763797000011,
  AddDeadLetters1763797000012,
  AddExpungedPayloads1763797000013,
  KeepStamps1763797000014,
  AddExchanges1763797000015,
  IndexHeld1763797000020,
  AddSuccessMinutes1763797000021,
  DiscardRecords1763797000022,
  SettleWhatWasHeld1763797000023,
];

export const MIGRATIONS_TABLE = 'hookline_migrations';

/** TypeORM over PostgreSQL. `initialize()` connects, and rejects while the database is not there. */
export function createDataSource(config: DatabaseConfig): DataSource {
  const { connectionString, ssl, ...pool } = connectionOptions(config);
  return new DataSource({
    type: 'postgres',
    driver: pg,
    url: connectionString,
    ssl,
    extra: pool,
    entities: ENTITIES,
    migrations: MIGRATIONS,
    migrationsTableName: MIGRATIONS_TABLE,
    installExtensions: false,
    synchronize: false,
  });
}
