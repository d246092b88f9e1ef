import { Axios } from 'axios';
import { AddressGuard } from './address-guard.js';
import type { Endpoint } from './endpoint.js';
import { Exchange, type BodyLimits } from './exchange.js';
import { OriginPools, type PoolSettings } from './origin-pools.js';
import { failureOf, type SendFailure } from './send-failure.js';
import { undiciAdapter } from './undici-adapter.js';

export interface EndpointClientSettings extends PoolSettings, BodyLimits {
  /** How long an attempt may take, from the start to the last byte of the answer, ms. */
  attemptTimeoutMs: number;
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
  /** The beginning of the answer's body. */
  body?: string;
  durationMs: number;
}

/** Sends webhooks. Every attempt ends in a result, within its time. */
export class EndpointClient {
  private readonly pools: OriginPools;
  private readonly http: Axios;

  /** @throws NotACidr */
  constructor(
    private readonly settings: EndpointClientSettings,
    guard = new AddressGuard(settings.allowCidrs),
  ) {
    this.pools = new OriginPools(settings, guard);
    // Not `axios.create`: its defaults (transforms, common headers, XSRF) cost 25 µs of CPU a request to be merged in,
    // and here the bytes go out as they came, and every answer is one.
    this.http = new Axios({ adapter: undiciAdapter(this.pools), method: 'post' });
  }

  /** Origins whose connections are kept at the moment. */
  get origins(): number {
    return this.pools.size;
  }

  /** Never rejects. */
  async send(request: SendRequest): Promise<SendResult> {
    const { endpoint, headers, body, signal } = request;
    const start = performance.now();
    const exchange = new Exchange(endpoint, headers, this.settings);
    const timer = setTimeout(giveUpForTime, this.settings.attemptTimeoutMs, exchange);
    const abort = signal && ((): void => exchange.giveUp('aborted'));
    if (abort) signal.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) exchange.giveUp('aborted');
    try {
      await this.http.request({ url: endpoint.url, data: body, exchange });
    } catch (error) {
      exchange.giveUp(failureOf(error));
    } finally {
      clearTimeout(timer);
      if (abort) signal.removeEventListener('abort', abort);
    }
    return resultOf(exchange, performance.now() - start);
  }

  /** Ends every attempt in flight as `connection-reset` or the like, and closes all connections. */
  close(): Promise<void> {
    return this.pools.destroy();
  }
}

function giveUpForTime(exchange: Exchange): void {
  exchange.giveUp('timeout');
}

function resultOf(exchange: Exchange, durationMs: number): SendResult {
  const result: SendResult = { durationMs: Math.round(durationMs) };
  const body = exchange.body();
  if (exchange.status !== undefined) result.status = exchange.status;
  if (exchange.error !== undefined) result.error = exchange.error;
  if (body !== undefined) result.body = body;
  return result;
}
