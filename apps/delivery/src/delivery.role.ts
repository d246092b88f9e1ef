import {
  consumerSection,
  deliverySection,
  kafkaSection,
  pumpSection,
  sealingSection,
  topicsSection,
} from '@hookline/config';
import { Sealer } from '@hookline/domain';
import { AddressGuard } from '@hookline/http-delivery';
import { createKafka, LogClock, LogTransportStrategy, StartCheck, topicPlan, type OffsetRunner } from '@hookline/kafka';
import {
  systemClock,
  type RoleConfig,
  type RoleContext,
  type RoleDefinition,
  type RoleParts,
} from '@hookline/platform';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { DeliveryWorker } from './worker.js';

const sections = {
  kafka: kafkaSection,
  pump: pumpSection,
  consumer: consumerSection,
  delivery: deliverySection,
  sealing: sealingSection,
  topics: topicsSection,
};

/** The part of the drain that the work in flight may take; the rest is for the last records and the server. */
const DRAIN_SHARE = 0.8;

/** Takes events from the log and brings them to the endpoints. */
export const deliveryRole: RoleDefinition<typeof sections> = { name: 'delivery', sections, check, build };

function build({ config, logger, metrics, health }: RoleContext<typeof sections>): RoleParts {
  const worker = new DeliveryWorker({
    kafka: config.kafka,
    pump: config.pump,
    consumer: config.consumer,
    delivery: config.delivery,
    sealer: new Sealer(config.sealing.keys),
    clock: new LogClock(),
    logger,
    metrics,
    drainMs: config.http.drainMs * DRAIN_SHARE,
  });
  const { retryDelaysMs, windowMs } = config.delivery;
  const startCheck = new StartCheck({
    kafka: createKafka(config.kafka, { role: 'delivery', logger }),
    topics: config.topics,
    plan: topicPlan(config.topics, retryDelaysMs, windowMs),
    clock: systemClock,
    logger,
  });
  health.addLiveness('runners', () => worker.liveness());
  health.addReadiness('work', () => worker.readiness());
  let app: NestFastifyApplication | undefined;
  return {
    module: AppModule.with(worker),
    configure: (nest) => {
      app = nest;
    },
    start: async () => {
      if (!(await startCheck.pass())) return;
      // Only now is it known which lanes there are; and nothing may come in any sooner.
      const groups = await worker.prepare();
      if (groups.length === 0) return;
      const strategy = new LogTransportStrategy({ groups });
      app?.connectMicroservice({ strategy });
      await app?.startAllMicroservices();
      const [events, lanes] = strategy.unwrap<readonly OffsetRunner[]>();
      if (events && lanes) worker.run(events, lanes);
    },
    drain: () => {
      startCheck.stop();
      return worker.drain();
    },
    close: () => worker.close(),
  };
}

/** What the settings can't say by themselves. */
function check({ sealing, delivery }: RoleConfig<typeof sections>): string[] {
  return [
    ...fault('HOOKLINE_SEALING_KEYS', () => new Sealer(sealing.keys)),
    ...fault('HOOKLINE_ALLOW_CIDRS', () => new AddressGuard(delivery.allowCidrs)),
  ];
}

function fault(setting: string, make: () => unknown): string[] {
  try {
    make();
    return [];
  } catch (error) {
    return [`${setting}: ${(error as Error).message}`];
  }
}
