import { Axios } from 'axios';
import { AddressGuard } from './address-guard.js';
import { Deadline, type Deadlines } from './deadline.js';
import type { Endpoint } from './endpoint.js';
import { Exchange, type AnswerLimits } from './exchange.js';
import { OriginConnections, type PoolSettings } from './origin-connections.js';
import { failureOf, type SendFailure } from './send-failure.js';
import { undiciAdapter } from './undici-adapter.js';

export interface EndpointClientSettings extends PoolSettings, AnswerLimits, Deadlines {
  /** Networks that endpoints may be in although they are private. */
  allowCidrs: readonly string[];
}

export interface SendRequest {
  readonly endpoint: Endpoint;
  /** Name, value, name, value …, sent as they are. */
  readonly headers: string[];
  /** Sent as it is. */
  readonly body: Buffer;
  readonly signal?: AbortSignal;
}

export interface SendResult {
  /** The answer's status, also if its body then failed; a redirect is an answer like any other. */
  status?: number;
  error?: SendFailure;
  /** The answer's `Retry-After` as it came, if it is no success: seconds or a date, or anything else. */
  retryAfter?: string;
  /** Headers of the answer, if it is no success, as far as they are kept; secrets masked: name, value, name, value … */
  headers?: readonly string[];
  /** The beginning of the answer's body. */
  body?: string;
  durationMs: number;
}

/** Sends webhooks. Every attempt ends in a result, within its time. */
export class EndpointClient {
  private readonly connections: OriginConnections;
  private readonly http: Axios;
  private closed = false;

  /** @throws NotACidr */
  constructor(
    private readonly settings: EndpointClientSettings,
    guard = new AddressGuard(settings.allowCidrs),
  ) {
    this.connections = new OriginConnections(settings, guard);
    // Not `axios.create`: its defaults (transforms, common headers, XSRF) cost 25 µs of CPU a request to be merged in,
    // and here the bytes go out as they came, and every answer is one.
    this.http = new Axios({ adapter: undiciAdapter(this.connections), method: 'post' });
  }

  /** Connections that wait for a request at the moment. */
  get idleConnections(): number {
    return this.connections.idleCount;
  }

  /** Never rejects. */
  async send(request: SendRequest): Promise<SendResult> {
    const { endpoint, headers, body, signal } = request;
    const exchange = new Exchange(endpoint, headers, this.settings, performance.now());
    if (this.closed || signal?.aborted) return resultOf(exchange, 'aborted');
    const deadline = new Deadline(exchange, this.settings);
    const abort = signal && ((): void => exchange.giveUp('aborted'));
    if (abort) signal.addEventListener('abort', abort, { once: true });
    try {
      await this.http.request({ url: endpoint.url, data: body, exchange });
    } catch (error) {
      exchange.giveUp(failureOf(error));
    } finally {
      deadline.clear();
      if (abort) signal.removeEventListener('abort', abort);
    }
    return resultOf(exchange, exchange.error);
  }

  /** Ends every attempt in flight as `aborted`, and closes all connections. */
  close(): Promise<void> {
    this.closed = true;
    return this.connections.destroy();
  }
}

function resultOf(exchange: Exchange, error: SendFailure | undefined): SendResult {
  const result: SendResult = { durationMs: Math.round(performance.now() - exchange.startedAt) };
  const body = exchange.body();
  if (exchange.status !== undefined) result.status = exchange.status;
  if (error !== undefined) result.error = error;
  if (exchange.retryAfter !== undefined) result.retryAfter = exchange.retryAfter;
  if (exchange.answeredHeaders !== undefined) result.headers = exchange.answeredHeaders;
  if (body !== undefined) result.body = body;
  return result;
}
