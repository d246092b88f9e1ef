import type { Message } from 'kafkajs';

const KEYS = 20;
const BAD_IN = 20;

/** A record of a producer, and whether it is an event. */
export interface Order {
  n: number;
  key: string;
  partition: number;
  /** In its partition. */
  offset: number;
  good: boolean;
  message: Message;
}

/** Events of keys in CloudEvents' binary mode, each key in one partition, with bad ones among them. */
export function ordersFor(partitions: number, count: number, random: () => number): Order[] {
  const next = Array<number>(partitions).fill(0);
  return Array.from({ length: count }, (_, n) => {
    const k = Math.floor(random() * KEYS);
    const partition = k % partitions;
    const offset = next[partition] as number;
    next[partition] = offset + 1;
    const good = random() >= 1 / BAD_IN;
    const key = `key-${k}`;
    const headers = { ce_specversion: '1.0', ce_id: String(n), ce_source: '/shop', ce_type: 'order.changed' };
    const message = { partition, key, value: good ? `{"n": ${n}}` : `{"n": ${n}`, headers };
    return { n, key, partition, offset, good, message };
  });
}

/** The same numbers for the same seed: a run that failed can be run again. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
