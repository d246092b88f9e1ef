import type { FieldError } from '@hookline/contracts';
import { ProblemError } from '@hookline/platform';

/** A thing that is not there, or that the caller may not know of: both are answered alike. */
export function notFound(what: string): ProblemError {
  return new ProblemError(404, 'not-found', `There is no such ${what}`);
}

/** The request itself is at fault; each field with what is wrong with it. */
export function invalid(...errors: FieldError[]): ProblemError {
  return new ProblemError(400, 'invalid-request', 'The request is not valid', { errors });
}

/** A limit on how many there may be. */
export function limitReached(what: string, limit: number): ProblemError {
  return new ProblemError(409, 'limit-reached', `There may be ${limit} ${what} at most`, { limit });
}

/** A part that is needed does not answer; what was asked for may have been done or not. */
export function unavailable(part: 'database' | 'kafka', detail: string): ProblemError {
  return new ProblemError(
    503,
    `${part}-unavailable`,
    `${part === 'kafka' ? 'Kafka' : 'The database'} does not answer at the moment`,
    { detail },
    { 'retry-after': '5' },
  );
}
