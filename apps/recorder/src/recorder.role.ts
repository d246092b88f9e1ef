import { databaseSection, kafkaSection, recorderSection } from '@hookline/config';
import { createKafka } from '@hookline/kafka';
import { systemClock, type RoleContext, type RoleDefinition, type RoleParts } from '@hookline/platform';
import { AppModule } from './app.module.js';
import { Recorder } from './recorder.js';

const sections = { kafka: kafkaSection, database: databaseSection, recorder: recorderSection };

/** Parts of the drain that are left to the server and the pool. */
const DRAIN_SHARE = 0.8;

/** Keeps the history: events, outcomes and the states of deliveries, in PostgreSQL. */
export const recorderRole: RoleDefinition<typeof sections> = { name: 'recorder', sections, build };

function build({ config, logger, metrics, health }: RoleContext<typeof sections>): RoleParts {
  const recorder = new Recorder({
    kafka: createKafka(config.kafka, { role: 'recorder', logger }),
    database: config.database,
    recorder: config.recorder,
    clock: systemClock,
    logger,
    metrics,
    drainMs: config.http.drainMs * DRAIN_SHARE,
  });
  health.addReadiness('database', recorder.status.check);
  health.addReadiness('group', () => (recorder.runner.leaseValid() ? undefined : 'not in the consumer group'));
  health.addLiveness('runner', () => recorder.liveness());
  return {
    module: AppModule,
    start: () => recorder.start(),
    drain: () => recorder.stop(),
  };
}
