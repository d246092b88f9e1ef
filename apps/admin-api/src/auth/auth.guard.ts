import {
  createParamDecorator,
  Inject,
  Injectable,
  SetMetadata,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ProblemError } from '@hookline/platform';
import { Authenticator } from './authenticator.js';
import type { Caller } from './caller.js';

interface Request {
  headers: Readonly<Record<string, string | undefined>>;
  caller?: Caller;
}

const OPERATOR_ONLY = 'hookline:operator-only';

/** Keys of tenants are refused. */
export const OperatorOnly = (): MethodDecorator & ClassDecorator => SetMetadata(OPERATOR_ONLY, true);

/** Who asks. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<Request>();
  if (caller === undefined) throw new Error('a route without the guard asks for its caller');
  return caller;
});

@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    @Inject(Authenticator) private readonly authenticator: Authenticator,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  /** @throws ProblemError 401 for whoever is not known; 403 for a key where only the operator may */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const caller = await this.authenticator.authenticate(request.headers['authorization']);
    if (caller === undefined)
      throw new ProblemError(
        401,
        'unauthorized',
        'The operator token or an active API key is needed',
        { detail: 'Send it as `Authorization: Bearer …`.' },
        { 'www-authenticate': 'Bearer' },
      );
    const operatorOnly = this.reflector.getAllAndOverride<boolean>(OPERATOR_ONLY, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (operatorOnly && caller.kind !== 'operator')
      throw new ProblemError(403, 'operator-only', 'Only the operator token may do this');
    request.caller = caller;
    return true;
  }
}
