import { kafkaSection, publishSection, pumpSection, topicsSection } from '@hookline/config';
import { TOPICS, type CredentialRecord } from '@hookline/contracts';
import {
  brokersInTurn,
  CompactedView,
  createKafka,
  observeView,
  ProducerPump,
  PumpMetrics,
  StartCheck,
  topicPlan,
} from '@hookline/kafka';
import { systemClock, type RoleContext, type RoleDefinition, type RoleParts } from '@hookline/platform';
import { CountedOutput } from './counted-output.js';
import { publishApi } from './publish-api.js';

const sections = { kafka: kafkaSection, publish: publishSection, pump: pumpSection, topics: topicsSection };

/** Kafka that has not answered the view for so long would not take events either; ms. */
const UNREACHABLE_MS = 15_000;

const ITS_TOPICS: readonly string[] = [TOPICS.events, TOPICS.credentials];

/** Takes events over HTTP, and answers when every in-sync replica has them. */
export const ingestRole: RoleDefinition<typeof sections> = { name: 'ingest', sections, parsesBodies: false, build };

function build({ config, logger, metrics, health }: RoleContext<typeof sections>): RoleParts {
  const clock = systemClock;
  const options = { role: 'ingest', logger };
  const { publish } = config;
  const credentials = new CompactedView<CredentialRecord>({
    topic: TOPICS.credentials,
    connect: brokersInTurn(config.kafka, options),
    clock,
    logger,
  });
  observeView(metrics, 'credentials', credentials);
  const kafka = createKafka(config.kafka, options);
  const plan = topicPlan(config.topics, []).filter(({ name }) => ITS_TOPICS.includes(name));
  const startCheck = new StartCheck({ kafka, topics: config.topics, plan, clock, logger });
  const pump = new ProducerPump(
    { kafka, clock, logger, observer: new PumpMetrics(metrics) },
    { ...config.pump, maxBufferedBytes: publish.maxBufferedBytes },
  );
  health.addReadiness('credentials', () =>
    credentials.isComplete ? undefined : 'the keys have not been read from Kafka to their end yet',
  );
  health.addReadiness('kafka', () => {
    const silentForMs = credentials.staleForMs();
    if (silentForMs < UNREACHABLE_MS) return undefined;
    return silentForMs === Infinity
      ? 'Kafka has not answered yet'
      : `Kafka has not answered for ${Math.round(silentForMs / 1_000)} s`;
  });
  return {
    ...publishApi(publish, clock, new CountedOutput(pump, metrics), credentials),
    start: async () => {
      if (!(await startCheck.pass())) return;
      credentials.start();
      await Promise.all([pump.start([TOPICS.events]), credentials.ready()]);
    },
    drain: async () => startCheck.stop(),
    close: async () => {
      await Promise.all([pump.stop({ drainMs: publish.deadlineMs }), credentials.stop()]);
    },
  };
}
