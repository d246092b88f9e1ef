import { TOPICS } from '@hookline/contracts';
import { createKafka, LogClock, ProducerPump, PumpMetrics, RangeReader, StartCheck, topicPlan } from '@hookline/kafka';
import {
  AuditTrail,
  connectionOptions,
  createDataSource,
  DeliveryHistory,
  rememberedCluster,
  Session,
} from '@hookline/persistence';
import { systemClock, type RoleContext, type RoleDefinition, type RoleParts } from '@hookline/platform';
import { AgeOuts } from './agedout/age-outs.js';
import { AppModule } from './app.module.js';
import { AuditService } from './audit/audit.service.js';
import { Authenticator } from './auth/authenticator.js';
import { Database } from './database/database.js';
import { deadLettersOf } from './deadletters/dead-letters.js';
import { historyOf } from './history/history.js';
import { failuresOf } from './keepers/failures.js';
import { KeysService } from './keys/keys.service.js';
import { serveOpenApi } from './openapi/openapi.js';
import { outboxOf } from './outbox/outbox.js';
import { payloadsOf } from './payloads/payloads.js';
import { replayHistory, ReplayMachinery } from './replay-machinery.js';
import { RecoveryService } from './replays/recovery.service.js';
import { ReplaysService } from './replays/replays.service.js';
import { faultsOf, sections } from './settings.js';
import { streamsOf } from './streams/streams.js';
import { subscriptionsOf } from './subscriptions/subscriptions.js';
import { TenantsService } from './tenants/tenants.service.js';
import { LogOffsets } from './topics/log-offsets.js';

const ITS_TOPICS: readonly string[] = [
  TOPICS.events,
  TOPICS.attempts,
  TOPICS.deliveries,
  TOPICS.replays,
  TOPICS.deadLetters,
  TOPICS.subscriptions,
  TOPICS.credentials,
  TOPICS.progress,
];

/** What a replay reads at a time that hands over slowly, for what it can't hand over yet is read again. */
const SLOW_READ_BYTES = 262_144;

/** Management over HTTP, the publisher of the outbox, and replays. */
export const adminApiRole: RoleDefinition<typeof sections> = { name: 'admin-api', sections, check: faultsOf, build };

function build({ config, logger, metrics }: RoleContext<typeof sections>): RoleParts {
  const clock = systemClock;
  const { admin } = config;
  const quick = {
    ...config.database,
    connectTimeoutMs: Math.min(config.database.connectTimeoutMs, admin.requestTimeoutMs),
    statementTimeoutMs: Math.min(config.database.statementTimeoutMs, admin.requestTimeoutMs),
  };
  const database = new Database(() => createDataSource(quick), admin.requestTimeoutMs);
  const openSession = (): Promise<Session> => Session.open(connectionOptions(config.database));
  const kafka = createKafka(config.kafka, { role: 'admin-api', logger });
  const startCheck = new StartCheck({
    kafka,
    topics: config.topics,
    plan: topicPlan(config.topics, []).filter(({ name }) => ITS_TOPICS.includes(name)),
    clock,
    logger,
    inDatabase: () => rememberedCluster(quick),
  });
  const log = new LogOffsets(kafka, admin.requestTimeoutMs);
  const reader = new RangeReader(kafka);
  const logClock = new LogClock();
  const pump = new ProducerPump(
    { kafka, clock, logger, observer: new PumpMetrics(metrics), onAppended: logClock.learn },
    // Replays bound themselves; there is room for all of them, and for the outbox.
    { ...config.pump, maxBufferedBytes: (admin.replayConcurrency + 2) * 2 * admin.replayInFlightBytes },
  );

  const deliveries = new DeliveryHistory(database);
  const outbox = outboxOf({ database, openSession, log, reader, output: pump, clock, logger, metrics }, admin);
  const ageOuts = new AgeOuts(kafka, pump, database, admin.requestTimeoutMs);
  const help = 'Times that work left the log unread, by what became of it.';
  metrics.gauges('hookline_age_outs', help, 'state', () => ageOuts.counts());
  const replays = new ReplaysService(database, log, replayHistory(database), clock, admin.maxOpenReplays);
  const failures = failuresOf({ log, output: pump, logClock, clock, logger, metrics }, config);
  const machinery = new ReplayMachinery(
    {
      database,
      openSession,
      log,
      reader,
      slowReader: new RangeReader(kafka, { maxBytes: SLOW_READ_BYTES }),
      output: pump,
      ageOuts,
      failures,
      clock,
      logger,
    },
    config,
  );

  const streams = streamsOf({ database, log, clock, metrics }, config);

  return {
    module: AppModule.with({
      authenticator: new Authenticator(config.operator.token, database),
      tenants: new TenantsService(database, clock),
      keys: new KeysService(database, clock, admin.maxKeys),
      subscriptions: subscriptionsOf({ database, log, clock }, config),
      payloads: payloadsOf(database, clock, config),
      ...historyOf(database, clock, config),
      replays,
      recovery: new RecoveryService({ database, log, deliveries, replays, clock, maxOpen: admin.maxOpenReplays }),
      ...deadLettersOf({ database, log, clock }, config),
      audit: new AuditService(new AuditTrail(database)),
      log,
      ageOuts,
      streams,
    }),
    configure: serveOpenApi,
    start: async () => {
      if (!(await startCheck.pass()) || !(await startCheck.compared())) return;
      outbox.start();
      machinery.start();
    },
    drain: async () => {
      startCheck.stop();
      streams.stop();
      await Promise.all([outbox.stop(), machinery.stop()]);
    },
    close: async () => {
      await pump.stop({ drainMs: config.http.drainMs / 2 });
      await Promise.all([log.close(), database.close()]);
    },
  };
}
