import type { OutgoingRecord, Output } from '@hookline/kafka';
import { unlessAborted } from '@hookline/persistence';

/** Resolves when Kafka has acknowledged all of them. @throws the signal's reason, NotDurable */
export async function writeAll(output: Output, records: readonly OutgoingRecord[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await unlessAborted(Promise.all(records.map((record) => output.produce(record))), signal);
}
