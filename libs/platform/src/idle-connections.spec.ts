import { createRequire } from 'node:module';
import { afterEach, describe, expect, it } from '@jest/globals';
import { letConnectionsIdle } from './idle-connections.js';

interface Queue {
  pending: unknown[];
  inflight: Map<number, unknown>;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  push(request: object): void;
  maybeThrottle(ms: number): void;
  fulfillRequest(response: object): void;
  destroy(): void;
}

const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as new (
  options: object,
) => Queue;
const logger = { debug: () => undefined, warn: () => undefined };

describe('a connection to Kafka', () => {
  let queue: Queue;
  const sent: number[] = [];
  let onSent = (_id: number): void => undefined;
  afterEach(() => {
    queue.destroy();
    sent.length = 0;
  });

  function open(maxInFlightRequests: number): void {
    letConnectionsIdle();
    queue = new RequestQueue({
      instrumentationEmitter: null,
      maxInFlightRequests,
      requestTimeout: 60_000,
      enforceRequestTimeout: false,
      clientId: 'test',
      broker: 'test',
      logger,
    });
  }

  function request(correlationId: number): void {
    queue.push({
      entry: { correlationId, resolve: () => undefined, reject: () => undefined },
      expectResponse: true,
      sendRequest: () => {
        sent.push(correlationId);
        onSent(correlationId);
      },
    });
  }

  const answer = (correlationId: number): void => queue.fulfillRequest({ correlationId, payload: null, size: 0 });

  it('arms no timer where nothing waits', () => {
    open(1);
    request(1);
    answer(1);
    expect(sent).toEqual([1]);
    expect(queue.throttleCheckTimeoutId).toBeNull();
  });

  it('sends what waits when there is room', () => {
    open(1);
    request(1);
    request(2);
    expect(sent).toEqual([1]);
    answer(1);
    expect(sent).toEqual([1, 2]);
  });

  it('sends what waits when a broker that asked for a pause has had it', async () => {
    open(5);
    queue.maybeThrottle(50);
    request(1);
    expect(sent).toEqual([]);
    await new Promise<void>((resolve) => {
      onSent = () => resolve();
    });
    expect(sent).toEqual([1]);
    expect(queue.throttleCheckTimeoutId).toBeNull();
  });
});
