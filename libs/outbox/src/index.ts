export { enqueueEvents, InvalidEvents, type OutboxEvent } from './enqueue-events.js';
export { installOutbox } from './install-outbox.js';
export { outboxSchema } from './schema.js';
export { DEFAULT_LIMITS, ROWS_CHANNEL, SHARDS, type OutboxLimits } from './names.js';
