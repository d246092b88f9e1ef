export * from './topics.js';
export * from './log-position.js';
export * from './event-record.js';
export * from './delivery-record.js';
export * from './dead-letter-record.js';
export * from './outcome-record.js';
export * from './compacted-records.js';
export * from './problem.js';
