import {
  consumerSection,
  kafkaSection,
  publishSection,
  pumpSection,
  relaySection,
  sourcesSection,
  topicsSection,
  type KafkaConfig,
  type RelayConfig,
} from '@hookline/config';
import { TOPICS } from '@hookline/contracts';
import { isId } from '@hookline/domain';
import { createKafka, ProducerPump, PumpMetrics, StartCheck, topicPlan } from '@hookline/kafka';
import {
  systemClock,
  type RoleConfig,
  type RoleContext,
  type RoleDefinition,
  type RoleParts,
} from '@hookline/platform';
import { createOutbox } from './outbox/create-outbox.js';
import { RelayModule } from './relay.module.js';
import { createSources, sourceFaults } from './sources/sources.js';

const sections = {
  kafka: kafkaSection,
  topics: topicsSection,
  publish: publishSection,
  pump: pumpSection,
  consumer: consumerSection,
  relay: relaySection,
  sources: sourcesSection,
};

/** The part of the drain that what is out may take; the rest is for the server. */
const DRAIN_SHARE = 0.8;

/** Brings in what others hold: the outbox of a producer's database, and topics of producers. */
export const relayRole: RoleDefinition<typeof sections> = { name: 'relay', sections, check: faultsOf, build };

function faultsOf({ relay, sources }: RoleConfig<typeof sections>): string[] {
  const faults = [...outboxFaults(relay), ...sourceFaults(sources)];
  if (relay.databaseUrl === undefined && sources.inline === undefined && sources.file === undefined)
    faults.push(
      'HOOKLINE_RELAY_DATABASE_URL is not set, nor HOOKLINE_SOURCES or HOOKLINE_SOURCES_FILE: there is nothing to relay',
    );
  return faults;
}

function outboxFaults({ databaseUrl, tenant, tenants }: RelayConfig): string[] {
  if (databaseUrl === undefined) return [];
  const named = tenant === undefined ? tenants : [tenant, ...tenants];
  if (named.length === 0)
    return ['HOOKLINE_RELAY_TENANT is not set, nor HOOKLINE_RELAY_TENANTS: whose events are those of the outbox?'];
  return named
    .filter((id) => !isId('ten', id))
    .map((id) => `HOOKLINE_RELAY_TENANT and HOOKLINE_RELAY_TENANTS take ids of tenants (ten_…), not ${id}`);
}

function build({ config, logger, metrics, health }: RoleContext<typeof sections>): RoleParts {
  const clock = systemClock;
  const connect = (kafka: KafkaConfig) => createKafka(kafka, { role: 'relay', logger });
  const observer = new PumpMetrics(metrics);
  const pumpOf = (maxBufferedBytes: number) =>
    new ProducerPump({ kafka: connect(config.kafka), clock, logger, observer }, { ...config.pump, maxBufferedBytes });
  // Apart, so that what sources have read never leaves the outbox without room: it has one batch out, and needs all of
  // that to be taken in its order.
  const pumps = { outbox: pumpOf(Number.MAX_SAFE_INTEGER), sources: pumpOf(config.publish.maxBufferedBytes) };
  const drainMs = config.http.drainMs * DRAIN_SHARE;
  const parts = { clock, logger, metrics, drainMs };
  const outbox =
    config.relay.databaseUrl === undefined
      ? undefined
      : createOutbox(config, { ...parts, health, output: pumps.outbox });
  const sources = createSources(config, { ...parts, connect, output: pumps.sources });
  if (sources) {
    health.addLiveness('sources', () => sources.liveness());
    health.addReadiness('sources', () => sources.readiness());
  }
  // What is brought into a Kafka that is not the one that is meant is gone from where it was.
  const itsTopics: readonly string[] = sources ? [TOPICS.events, TOPICS.deadLetters] : [TOPICS.events];
  const check = new StartCheck({
    kafka: connect(config.kafka),
    topics: config.topics,
    plan: topicPlan(config.topics, []).filter(({ name }) => itsTopics.includes(name)),
    clock,
    logger,
  });
  return {
    module: RelayModule,
    start: async () => {
      if (!(await check.pass())) return;
      outbox?.start();
      await Promise.all([
        outbox && pumps.outbox.start([TOPICS.events]),
        sources && pumps.sources.start([TOPICS.events]),
        sources?.start(),
      ]);
    },
    drain: async () => {
      check.stop();
      await Promise.all([outbox?.stop(), sources?.drain()]);
    },
    close: async () => {
      await sources?.close();
      await Promise.all(Object.values(pumps).map((pump) => pump.stop({ drainMs: 0 })));
    },
  };
}
