import { setTimeout as pause } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';

const LAPS = 60;
const LAP_PAUSE_MS = 500;

/** Kafka's words for a partition whose leader is not known everywhere yet, as for a moment after brokers have started. */
const NOT_LED = new Set(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE', 'UNKNOWN_TOPIC_OR_PARTITION']);

/**
 * Does it with an admin client, and again with a new one (which asks anew who leads) while a partition has no leader yet.
 * @param work may be done several times
 * @throws what it throws for another reason; that, too, where there is no leader within about half a minute
 */
export async function onceLed<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  for (let lap = 1; ; lap += 1) {
    const admin = kafka.admin();
    await admin.connect();
    try {
      return await work(admin);
    } catch (error) {
      if (lap === LAPS || !isNotLed(error)) throw error;
    } finally {
      await admin.disconnect();
    }
    await pause(LAP_PAUSE_MS);
  }
}

export function isNotLed(error: unknown): boolean {
  const { type, cause } = (error ?? {}) as { type?: unknown; cause?: unknown };
  return (typeof type === 'string' && NOT_LED.has(type)) || (cause !== undefined && cause !== null && isNotLed(cause));
}
