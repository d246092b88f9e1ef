import { ConfigError, type KafkaConfig } from '@hookline/config';
import { TOPICS, type CredentialRecord, type SubscriptionRecord, type Versioned } from '@hookline/contracts';
import { brokersInTurn, CompactedView } from '@hookline/kafka';
import type { Clock, Logger } from '@hookline/platform';
import type { SourceDefinition } from './definition.js';

type OfTenant = Versioned & Pick<CredentialRecord | SubscriptionRecord, 'tenant'>;

/** Which tenants there are, as far as the log tells: those that ever had a key or a subscription. */
export class KnownTenants {
  private readonly views: CompactedView<OfTenant>[];
  private readonly seen = new Map<string, OfTenant>();
  private stopping = false;

  constructor(
    kafka: KafkaConfig,
    clock: Clock,
    private readonly logger: Logger,
  ) {
    const connect = brokersInTurn(kafka, { role: 'relay', logger });
    this.views = [TOPICS.credentials, TOPICS.subscriptions].map(
      (topic) => new CompactedView({ topic, connect, clock, logger, entries: this.seen }),
    );
  }

  /**
   * Reads the two topics to their ends, however long Kafka takes; false if it was stopped before that.
   * @throws ConfigError naming every source of a tenant that is not known
   */
  async check(sources: readonly SourceDefinition[]): Promise<boolean> {
    for (const view of this.views) view.start();
    try {
      await Promise.all(this.views.map((view) => view.ready()));
    } catch (error) {
      if (this.stopping) return false;
      throw error;
    }
    const known = new Set([...this.seen.values()].map(({ tenant }) => tenant));
    await this.stop();
    const unknown = sources.filter(({ tenant }) => !known.has(tenant));
    this.logger.info({ tenants: known.size, sources: sources.length }, 'the tenants of the sources were looked up');
    if (unknown.length === 0) return true;
    throw new ConfigError(
      unknown.map(
        ({ name, tenant }) => `source ${name}: tenant ${tenant} is not known: it has neither a key nor a subscription`,
      ),
    );
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.views.map((view) => view.stop()));
  }
}
