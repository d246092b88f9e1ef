import type { FieldError } from '@hookline/contracts';
import { invalid } from '../http/problems.js';
import { typeFaults, type TypeLimits } from '../subscriptions/type-rules.js';
import type { StreamQueryFields } from './streams.schemas.js';

export interface StreamLimits extends TypeLimits {
  readonly maxLimit: number;
  readonly maxWaitMs: number;
}

/**
 * What the settings have to say about a poll.
 * @throws ProblemError 400 with every fault
 */
export function assertPoll({ cursor, from, types, limit, wait }: StreamQueryFields, limits: StreamLimits): void {
  const longest = Math.floor(limits.maxWaitMs / 1_000);
  const faults: FieldError[] = typeFaults(types, limits);
  if (limit > limits.maxLimit)
    faults.push({ field: 'limit', message: `must be at most ${limits.maxLimit}`, limit: limits.maxLimit });
  if (wait > longest) faults.push({ field: 'wait', message: `must be at most ${longest} seconds`, limit: longest });
  if (cursor !== undefined && from !== undefined)
    faults.push({ field: 'from', message: 'says where to begin without a cursor, and there is one' });
  if (faults.length > 0) throw invalid(...faults.slice(0, 20));
}
