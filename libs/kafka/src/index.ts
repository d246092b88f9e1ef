export * from './consumer/record.js';
export * from './producer/output.js';
