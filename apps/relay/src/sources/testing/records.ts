import type { ReadRecord } from '@hookline/kafka';

/** A record of a producer's topic as kafkajs gives it: headers are bytes. */
export function recordOf(parts: {
  value?: string | Buffer | null;
  key?: string | Buffer | null;
  headers?: Record<string, string | Buffer | Buffer[]>;
  offset?: number;
  timestamp?: number;
}): ReadRecord {
  const { value = '{}', key = null, headers = {}, offset = 7, timestamp = Date.UTC(2026, 10, 22) } = parts;
  const bytes = (it: string | Buffer | null): Buffer | null => (typeof it === 'string' ? Buffer.from(it) : it);
  return {
    topic: 'shop.orders',
    partition: 3,
    offset,
    timestamp,
    key: bytes(key),
    value: bytes(value),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, it]) => [name, typeof it === 'string' ? Buffer.from(it) : it]),
    ),
  };
}
