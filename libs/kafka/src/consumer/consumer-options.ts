import type { ConsumerConfig } from '@hookline/config';
import type { RunnerOptions } from './runner-options.js';

/** The runner's options that are settings; how long a stop may take is the role's, `http.drainMs`. */
export function consumerOptions(config: ConsumerConfig): Partial<RunnerOptions> {
  const { highWaterRecords: records, highWaterBytes: bytes, ...times } = config;
  return { ...times, highWater: { records, bytes } };
}
