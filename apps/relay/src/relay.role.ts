import { kafkaSection, publishSection, pumpSection, relaySection } from '@hookline/config';
import { TOPICS } from '@hookline/contracts';
import { isId } from '@hookline/domain';
import { createKafka, ProducerPump, PumpMetrics } from '@hookline/kafka';
import {
  systemClock,
  type RoleConfig,
  type RoleContext,
  type RoleDefinition,
  type RoleParts,
} from '@hookline/platform';
import { createOutbox } from './outbox/create-outbox.js';
import { RelayModule } from './relay.module.js';

const sections = { kafka: kafkaSection, publish: publishSection, pump: pumpSection, relay: relaySection };

/** The part of the drain that what is out may take; the rest is for the server. */
const DRAIN_SHARE = 0.8;

/** Brings in what others hold: the outbox of a producer's database. */
export const relayRole: RoleDefinition<typeof sections> = { name: 'relay', sections, check: faultsOf, build };

function faultsOf({ relay }: RoleConfig<typeof sections>): string[] {
  if (relay.databaseUrl === undefined) return ['HOOKLINE_RELAY_DATABASE_URL is not set: there is nothing to relay'];
  const tenants = [...(relay.tenant === undefined ? [] : [relay.tenant]), ...relay.tenants];
  if (tenants.length === 0)
    return ['HOOKLINE_RELAY_TENANT is not set, nor HOOKLINE_RELAY_TENANTS: whose events are they?'];
  return tenants
    .filter((tenant) => !isId('ten', tenant))
    .map((tenant) => `HOOKLINE_RELAY_TENANT and HOOKLINE_RELAY_TENANTS take ids of tenants (ten_…), not ${tenant}`);
}

function build({ config, logger, metrics, health }: RoleContext<typeof sections>): RoleParts {
  const clock = systemClock;
  const pump = new ProducerPump(
    { kafka: createKafka(config.kafka, { role: 'relay', logger }), clock, logger, observer: new PumpMetrics(metrics) },
    // What is out is bounded by the batch.
    { ...config.pump, maxBufferedBytes: Number.MAX_SAFE_INTEGER },
  );
  const drainMs = config.http.drainMs * DRAIN_SHARE;
  const outbox = createOutbox(config, { output: pump, clock, logger, metrics, health });
  return {
    module: RelayModule,
    start: async () => {
      outbox.start();
      await pump.start([TOPICS.events]);
    },
    drain: () => outbox.stop(drainMs),
    close: () => pump.stop({ drainMs: 0 }),
  };
}
