import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { ProblemError } from '@hookline/platform';

interface Request {
  body: unknown;
  headers: Readonly<Record<string, string | undefined>>;
}

/** A form would be parsed as well, into an object that looks like JSON's. */
export class JsonOnlyGuard implements CanActivate {
  /** @throws ProblemError 415 */
  canActivate(context: ExecutionContext): boolean {
    const { body, headers } = context.switchToHttp().getRequest<Request>();
    if (body === undefined || body === null) return true;
    if (/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) return true;
    throw new ProblemError(415, 'unsupported-media-type', 'The body must be application/json');
  }
}
