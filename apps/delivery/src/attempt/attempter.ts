import { randomBytes } from 'node:crypto';
import type { AttemptOutcome } from '@hookline/contracts';
import { requestHeaders } from '@hookline/domain';
import type { EndpointClient, SendResult } from '@hookline/http-delivery';
import type { Clock, Logger } from '@hookline/platform';
import type { Delivery } from '../delivery.js';
import type { Opened, Target } from '../subscriptions/target.js';

/** What an attempt met, and what the endpoint asked for besides. */
export interface Attempted {
  readonly outcome: AttemptOutcome;
  /** Its `Retry-After`, as it came. */
  readonly retryAfter: string | undefined;
}

/** Makes one attempt: signs, sends, and says what it met. */
export class Attempter {
  /** Told apart from those of any other worker, and of this one before it was started again. */
  private readonly idPrefix = `${randomBytes(9).toString('base64url')}.`;
  private made = 0;

  constructor(
    private readonly client: Pick<EndpointClient, 'send'>,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Never rejects. */
  async attempt(target: Target, { envelope, body }: Delivery): Promise<Attempted> {
    // A whole number, as it is recorded: the signature's time is derived from it.
    const at = Math.floor(this.clock.now());
    const number = envelope.attempts + 1;
    const opened = this.open(target);
    const result: SendResult =
      opened === undefined
        ? { error: 'other', durationMs: 0 }
        : await this.client.send({
            endpoint: opened.endpoint,
            headers: requestHeaders(opened, envelope, number, Math.floor(at / 1_000), body),
            body,
          });
    const id = this.idPrefix + this.made++;
    const outcome: AttemptOutcome = { id, number, at, durationMs: result.durationMs, version: target.version };
    if (result.status !== undefined) outcome.status = result.status;
    if (result.error !== undefined) outcome.error = result.error;
    // PostgreSQL's text has no NUL.
    if (result.body) outcome.responseBody = result.body.replaceAll('\0', '\uFFFD');
    if (result.headers) outcome.responseHeaders = result.headers;
    return { outcome, retryAfter: result.retryAfter };
  }

  private open(target: Target): Opened | undefined {
    try {
      return target.open();
    } catch (error) {
      const { id: subscriptionId, tenant } = target;
      const { name, message } = error as Error;
      this.logger.error({ subscriptionId, tenant, name, message }, 'a subscription can not be sent to by this worker');
      return undefined;
    }
  }
}
