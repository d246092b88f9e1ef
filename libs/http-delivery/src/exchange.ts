import type { Dispatcher } from 'undici';
import type { Endpoint } from './endpoint.js';
import { failureOf, type SendFailure } from './send-failure.js';

/** What is read of an answer's body. */
export interface BodyLimits {
  /** Bytes that are kept. */
  keepBytes: number;
  /** Bytes that are read, so that the connection can be used again; beyond, it is given up. */
  readBytes: number;
}

const GIVEN_UP = new Error('given up');

/**
 * One request and its answer, as undici reports on it. It speaks undici's lower interface: the other one parses every
 * header of an answer, and nobody reads them.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  status: number | undefined;
  error: SendFailure | undefined;
  private kept: Buffer | undefined;
  private read = 0;
  private settled = false;
  private abort: ((reason: Error) => void) | undefined;
  private settle: (() => void) | undefined;
  /** Resolves when all is known; it never rejects. */
  readonly done = new Promise<void>((resolve) => (this.settle = resolve));

  /** @param headers name, value, name, value … */
  constructor(
    readonly endpoint: Endpoint,
    readonly headers: string[],
    private readonly limits: BodyLimits,
  ) {}

  /** The beginning of the answer's body, as text. */
  body(): string | undefined {
    return this.kept?.toString('utf8');
  }

  /** Ends it from outside: what is known of the answer by then stays. */
  giveUp(error: SendFailure | undefined): void {
    if (this.settled) return;
    this.finish(error);
    this.abort?.(GIVEN_UP);
  }

  onConnect(abort: (reason?: Error) => void): void {
    if (this.settled) return abort(GIVEN_UP);
    this.abort = abort;
  }

  onHeaders(status: number): boolean {
    if (status >= 200) this.status = status;
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.keep(chunk);
    this.read += chunk.length;
    if (this.read > this.limits.readBytes) this.giveUp(undefined);
    return true;
  }

  onComplete(): void {
    this.finish(undefined);
  }

  onError(error: Error): void {
    this.finish(failureOf(error));
  }

  private keep(chunk: Buffer): void {
    const missing = this.limits.keepBytes - (this.kept?.length ?? 0);
    if (missing <= 0) return;
    // A copy: what undici gives is a part of the socket's much larger buffer.
    const part = Buffer.from(chunk.subarray(0, missing));
    this.kept = this.kept === undefined ? part : Buffer.concat([this.kept, part]);
  }

  private finish(error: SendFailure | undefined): void {
    if (this.settled) return;
    this.settled = true;
    this.error = error;
    this.settle?.();
  }
}
