import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EmbeddedKafka } from '@hookline/embedded';
import type { BrokerAction } from '../broker-control.js';
import type { Running } from './test-kafka.js';

/** Lets tests, which run in other processes than global set-up, kill its brokers: `POST /<id>/<action>`. */
export async function serveBrokerControl(kafka: EmbeddedKafka): Promise<Running & { url: string }> {
  const actions: Record<BrokerAction, (id: number) => Promise<void>> = {
    kill: (id) => kafka.kill(id),
    restart: (id) => kafka.restart(id),
    wipe: (id) => kafka.wipe(id),
    pause: (id) => kafka.pause(id),
    resume: (id) => kafka.resume(id),
  };
  const server = createServer((request, response) => {
    const [, id, action] = (request.url ?? '').split('/');
    const act = actions[action as BrokerAction];
    Promise.resolve()
      .then(() => act(Number(id)))
      .then(
        () => response.writeHead(204).end(),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
