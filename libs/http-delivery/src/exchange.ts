import type { Dispatcher } from 'undici';
import type { Endpoint } from './endpoint.js';
import { KeptBody } from './kept-body.js';
import { keptHeaders } from './kept-headers.js';
import { findHeader, headerName, wholeNumber, type RawHeaders } from './raw-headers.js';
import { failureOf, type SendFailure } from './send-failure.js';

/** What is read of an answer. */
export interface AnswerLimits {
  /** Bytes that are kept. */
  keepBytes: number;
  /** Bytes that are read, so that the connection can be used again; beyond, it is given up. */
  readBytes: number;
  /** Bytes of headers that are kept of an answer that is no success; 0: none. */
  responseHeaderBytes: number;
}

const RETRY_AFTER = headerName('retry-after');
const CONTENT_LENGTH = headerName('content-length');

/** A date takes 29; what is longer is nothing that anyone could act on. */
const MOST_RETRY_AFTER_BYTES = 64;

/** Answers before the answer, such as 103; an endpoint can send them without end. */
const MOST_INFORMATIONAL = 16;

/**
 * One request and its answer, as undici reports on it. It speaks undici's lower interface: the other one parses every
 * header of an answer, and of a success nobody reads more than two.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  status: number | undefined;
  error: SendFailure | undefined;
  /** As it came, of an answer that is no success. */
  retryAfter: string | undefined;
  /** Of an answer that is no success, secrets masked: name, value, name, value … */
  answeredHeaders: readonly string[] | undefined;
  /** When the request was handed to an open connection, ms of `performance.now()`. */
  sentAt: number | undefined;
  /** Whether anything was answered. */
  answered = false;
  /** The answer was read to its end. */
  whole = false;
  private kept: KeptBody | undefined;
  private read = 0;
  private readMost: number;
  private informational = 0;
  private settled = false;
  private settle: (() => void) | undefined;
  /** Resolves when all is known; it never rejects. */
  readonly done = new Promise<void>((resolve) => (this.settle = resolve));

  /**
   * @param headers name, value, name, value …
   * @param startedAt ms of `performance.now()`
   */
  constructor(
    readonly endpoint: Endpoint,
    readonly headers: string[],
    private readonly limits: AnswerLimits,
    readonly startedAt: number,
  ) {
    this.readMost = limits.readBytes;
  }

  /** The beginning of the answer's body, as text. */
  body(): string | undefined {
    return this.kept?.toString();
  }

  /** Ends it from outside: what is known of the answer by then stays. Its connection is of no more use. */
  giveUp(error: SendFailure | undefined): void {
    if (this.settled) return;
    this.settled = true;
    this.error = error;
    this.settle?.();
  }

  /** More was sent than any answer needs. */
  tooLong(): void {
    this.giveUp(this.status === undefined ? 'response-too-large' : undefined);
  }

  onConnect(): void {
    this.sentAt = performance.now();
  }

  onResponseStarted(): void {
    this.answered = true;
  }

  onHeaders(status: number, headers: RawHeaders): boolean {
    if (this.settled) return true;
    if (status < 200) {
      if (++this.informational > MOST_INFORMATIONAL) this.giveUp('protocol');
      return true;
    }
    this.status = status;
    const success = status < 300;
    if (!success) {
      this.retryAfter = retryAfterOf(headers);
      const { responseHeaderBytes } = this.limits;
      if (responseHeaderBytes > 0) this.answeredHeaders = keptHeaders(headers, responseHeaderBytes);
    }
    const length = findHeader(headers, CONTENT_LENGTH);
    if (length !== undefined && (wholeNumber(length) ?? 0) > this.limits.readBytes) {
      // It will not be read to its end: of a failure the beginning says why, of a success nothing does.
      if (success) this.giveUp(undefined);
      else this.readMost = this.limits.keepBytes;
    }
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.settled) return true;
    this.kept ??= new KeptBody(this.limits.keepBytes);
    this.kept.add(chunk);
    this.read += chunk.length;
    if (this.read > this.readMost) this.giveUp(undefined);
    return true;
  }

  onComplete(): void {
    if (!this.settled) this.whole = true;
    this.giveUp(undefined);
  }

  onError(error: Error): void {
    this.giveUp(failureOf(error));
  }
}

function retryAfterOf(headers: RawHeaders): string | undefined {
  const value = findHeader(headers, RETRY_AFTER);
  return value === undefined || value.length > MOST_RETRY_AFTER_BYTES ? undefined : value.toString('latin1').trim();
}
