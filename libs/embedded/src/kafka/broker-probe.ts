import { setTimeout as pause } from 'node:timers/promises';
import { letConnectionsIdle } from '@hookline/platform';
import { Kafka, logLevel } from 'kafkajs';

/** How many brokers the one at this address knows of. @throws Error if it doesn't answer */
export async function brokersSeenBy(address: string): Promise<number> {
  letConnectionsIdle();
  const kafka = new Kafka({
    clientId: 'hookline-probe',
    brokers: [address],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    requestTimeout: 5_000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length;
  } finally {
    await admin.disconnect();
  }
}

/** Waits until the broker at this address is ready and knows of so many. @throws the signal's reason once it is aborted */
export async function untilBrokerSees(count: number, address: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const seen = await brokersSeenBy(address).catch(() => 0);
    if (seen >= count) return;
    signal.throwIfAborted();
    await pause(100);
  }
}
