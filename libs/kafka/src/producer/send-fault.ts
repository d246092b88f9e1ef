/**
 * What a failed send means for the batch:
 * - `retry`: the same batch again, on the same producer; the broker knows it by its sequence if it has it already
 * - `reconnect`: the same, over new connections
 * - `new-producer`: the broker no longer follows this producer's sequence; a repeat can't be ruled out any more
 * - `refused`: never going to be taken as it is
 */
export interface SendFault {
  kind: 'retry' | 'reconnect' | 'new-producer' | 'refused';
  /** The protocol's name of the error, else the error's; for logs and metrics. */
  name: string;
  message: string;
}

const REFUSED = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_TIMESTAMP',
  'INVALID_RECORD',
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'POLICY_VIOLATION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'UNSUPPORTED_COMPRESSION_TYPE',
]);

const LOST_SEQUENCE = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
]);

/** Reads an error of kafkajs, which wraps the one of the protocol, sometimes twice. */
export function faultOf(error: unknown): SendFault {
  let name = 'UNKNOWN';
  let message = String(error);
  let protocol: string | undefined;
  for (let e = error, depth = 0; e instanceof Error && depth < 5; e = e.cause, depth += 1) {
    const type: unknown = (e as { type?: unknown }).type;
    if (typeof type === 'string') protocol = type;
    name = e.name;
    message = e.message;
  }
  if (protocol === undefined) return { kind: kafkajsKnows(name) ? 'retry' : 'reconnect', name, message };
  if (REFUSED.has(protocol)) return { kind: 'refused', name: protocol, message };
  if (LOST_SEQUENCE.has(protocol)) return { kind: 'new-producer', name: protocol, message };
  return { kind: 'retry', name: protocol, message };
}

/** Its own errors it gets over by itself. Any other comes from a client in a state that it has not foreseen (#1213). */
function kafkajsKnows(name: string): boolean {
  return name.startsWith('KafkaJS');
}
