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

/** kafkajs' words for a broker that went, or does not answer. */
const NOT_REACHED = new Set([
  'KafkaJSBrokerNotFound',
  'KafkaJSConnectionClosedError',
  'KafkaJSConnectionError',
  'KafkaJSNumberOfRetriesExceeded',
  'KafkaJSRequestTimeoutError',
  // A question met another one's refreshing of what the client knows of the cluster.
  'KafkaJSTopicMetadataNotLoaded',
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

/** A partition has no leader yet, a group no coordinator, or who was asked went: another one can be asked in a moment. */
export function isPassing(error: unknown): boolean {
  const { type, name } = (error ?? {}) as { type?: unknown; name?: unknown };
  if (typeof name === 'string' && NOT_REACHED.has(name)) return true;
  return isNotLed(error) || (typeof type === 'string' && NOT_COORDINATED.has(type));
}

export function isNotLed(error: unknown): boolean {
  const { type, cause } = (error ?? {}) as { type?: unknown; cause?: unknown };
  return (typeof type === 'string' && NOT_LED.has(type)) || (cause !== undefined && cause !== null && isNotLed(cause));
}
