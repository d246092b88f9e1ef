import {
  consumerSection,
  databaseSection,
  failingSection,
  kafkaSection,
  recorderSection,
  topicsSection,
} from '@hookline/config';
import { createKafka, LogTransportStrategy, StartCheck, topicPlan, type OffsetRunner } from '@hookline/kafka';
import { rememberedCluster } from '@hookline/persistence';
import { systemClock, type RoleContext, type RoleDefinition, type RoleParts } from '@hookline/platform';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { RECORDED_TOPICS } from './entry.js';
import { Recorder } from './recorder.js';

const sections = {
  kafka: kafkaSection,
  consumer: consumerSection,
  database: databaseSection,
  recorder: recorderSection,
  failing: failingSection,
  topics: topicsSection,
};

/** The part of the drain that the rows in flight may take; the rest is for the server. */
const DRAIN_SHARE = 0.8;

/** Keeps the history: events, outcomes and the states of deliveries, in PostgreSQL. */
export const recorderRole: RoleDefinition<typeof sections> = { name: 'recorder', sections, build };

function build({ config, logger, metrics, health }: RoleContext<typeof sections>): RoleParts {
  const kafka = createKafka(config.kafka, { role: 'recorder', logger });
  const itsTopics = Object.values(RECORDED_TOPICS);
  const plan = topicPlan(config.topics, []).filter(({ name }) => itsTopics.includes(name));
  const startCheck = new StartCheck({
    kafka,
    topics: config.topics,
    plan,
    clock: systemClock,
    logger,
    inDatabase: () => rememberedCluster(config.database),
  });
  const recorder = new Recorder({
    kafka,
    database: config.database,
    recorder: config.recorder,
    failing: config.failing,
    consumer: config.consumer,
    clock: systemClock,
    logger,
    metrics,
    drainMs: config.http.drainMs * DRAIN_SHARE,
  });
  health.addReadiness('database', recorder.status.check);
  health.addReadiness('group', () => recorder.membership());
  health.addLiveness('runner', () => recorder.liveness());

  const strategy = new LogTransportStrategy({ groups: [recorder.group] });
  let app: NestFastifyApplication | undefined;
  return {
    module: AppModule.with(recorder),
    configure: (nest) => {
      app = nest;
      nest.connectMicroservice({ strategy });
    },
    start: async () => {
      // Without its database it can't even say where it goes on.
      if (!(await startCheck.pass()) || !(await startCheck.compared())) return;
      await app?.startAllMicroservices();
      const [runner] = strategy.unwrap<readonly OffsetRunner[]>();
      if (runner) recorder.start(runner);
    },
    drain: () => {
      startCheck.stop();
      return recorder.stop();
    },
  };
}
