import { testKafkaBrokers } from './kafka.js';

export type BrokerAction = 'kill' | 'restart' | 'wipe' | 'pause' | 'resume';

/**
 * Does something to a broker of the project `e2e`: SIGKILL, start again (waits until it takes part), empty its disk
 * (then restart), freeze, go on. Leave all brokers running behind you.
 * @param id 1, 2 or 3; see {@link brokerIdAt}
 */
export async function controlBroker(id: number, action: BrokerAction): Promise<void> {
  const control = process.env['HOOKLINE_TEST_BROKER_CONTROL'];
  if (!control) throw new Error('these brokers are not ours to kill: run without KAFKA_BROKERS');
  const response = await fetch(`${control}/${id}/${action}`, { method: 'POST' });
  if (!response.ok) throw new Error(`broker ${id}, ${action}: ${await response.text()}`);
}

/** The id of the broker at `host:port`, as a client's metadata names it. */
export function brokerIdAt(address: string): number {
  const index = testKafkaBrokers().indexOf(address);
  if (index === -1) throw new Error(`${address} is not one of this project's brokers`);
  return index + 1;
}
