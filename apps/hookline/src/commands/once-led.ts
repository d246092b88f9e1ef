import { systemClock } from '@hookline/platform';
import type { Admin, Kafka } from 'kafkajs';
import { PatientAdmin } from './patient-admin.js';

/** Kafka's words for a partition whose leader is not known everywhere yet, as for a moment after brokers have started. */
const NOT_LED = new Set(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE', 'UNKNOWN_TOPIC_OR_PARTITION']);

/** Kafka's words for a group whose coordinator has just moved, or reads what it has to know. */
const NOT_COORDINATED = new Set([
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
]);

/**
 * Does it with an admin client, and again with a new one (which asks anew who leads) while a partition has no leader yet.
 * @param work may be done several times
 * @throws what it throws for another reason; that, too, where there is no leader within about half a minute
 */
export async function onceLed<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new PatientAdmin(kafka, systemClock, isNotLed);
  try {
    return await admin.ask(work);
  } finally {
    await admin.close();
  }
}

/** It has no leader yet, or a group no coordinator. */
export function isNotLedOrCoordinated(error: unknown): boolean {
  const { type } = (error ?? {}) as { type?: unknown };
  return isNotLed(error) || (typeof type === 'string' && NOT_COORDINATED.has(type));
}

export function isNotLed(error: unknown): boolean {
  const { type, cause } = (error ?? {}) as { type?: unknown; cause?: unknown };
  return (typeof type === 'string' && NOT_LED.has(type)) || (cause !== undefined && cause !== null && isNotLed(cause));
}
