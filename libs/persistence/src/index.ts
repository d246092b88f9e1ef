export { Tenant } from './management/tenant.entity.js';
export { ApiKey } from './management/api-key.entity.js';
export { Subscription } from './management/subscription.entity.js';
export { OutboxEntry } from './management/outbox.entity.js';
export { Replay, type ReplayRange, type ReplayStatus } from './management/replay.entity.js';
export { createDataSource } from './data-source.js';
export { connectionOptions, type PgConnectionOptions } from './connection-options.js';
export {
  assertSchemaNotNewer,
  migrate,
  schemaState,
  SchemaTooNew,
  type Queryable,
  type SchemaState,
} from './migrate.js';
