import type { FieldError } from '@hookline/contracts';
import { ProblemError } from '@hookline/platform';

/** Errors that one answer lists at most: a batch may have a thousand bad events. */
const MOST_ERRORS = 20;

export const malformed = (detail: string): ProblemError =>
  new ProblemError(400, 'malformed-json', 'The body is not JSON', { detail });

export function invalid(errors: FieldError[]): ProblemError {
  const omitted = errors.length - MOST_ERRORS;
  return new ProblemError(400, 'invalid-event', 'Nothing was published: the request has errors', {
    errors: errors.slice(0, MOST_ERRORS),
    ...(omitted > 0 ? { omittedErrors: omitted } : {}),
  });
}

/** @param field what is too large; absent for the whole body */
export function tooLarge(limit: number, field = 'body'): ProblemError {
  const errors = [{ field, message: `must not be larger than ${limit} bytes`, limit }];
  return new ProblemError(413, 'too-large', 'Nothing was published: the request is too large', { errors, limit });
}

export const unauthorized = (detail: string): ProblemError =>
  new ProblemError(
    401,
    'unauthorized',
    'The key is missing, unknown or revoked',
    { detail },
    {
      'www-authenticate': 'Bearer',
    },
  );

export const notReady = (): ProblemError =>
  new ProblemError(
    503,
    'not-ready',
    'This node does not know the keys yet',
    { detail: 'Nothing was published. It has not read the credentials from Kafka to their end; try again.' },
    retryAfter(1),
  );

export const retryAfter = (seconds: number): Record<string, string> => ({ 'retry-after': String(seconds) });
