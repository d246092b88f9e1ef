import type { TopicsConfig } from '@hookline/config';
import { CLUSTER_KEY, TOPICS, type ClusterRecord } from '@hookline/contracts';
import { Refusal, type Clock } from '@hookline/platform';
import type { Admin, Kafka } from 'kafkajs';
import { ProgressReader } from '../progress/progress-reader.js';
import { assertCluster } from './cluster-identity.js';
import { inspectTopics, type TopicLog } from './ensure-topics.js';
import type { TopicSpec } from './topic-spec.js';

const RETRY_MS = 1_000;
/** What the topic remembers helps against a mistake; a role doesn't wait for it for ever. */
const REMEMBERED_WITHIN_MS = 5_000;

export interface StartCheckOptions {
  kafka: Kafka;
  topics: TopicsConfig;
  /** The topics that the role works with. */
  plan: readonly TopicSpec[];
  clock: Clock;
  logger: TopicLog;
  /**
   * The cluster's id as the database remembers it, and none where it knows none; undefined while it can't be asked.
   * @throws Refusal where it is a database that can't be worked with
   */
  inDatabase?: () => Promise<{ id: string | undefined } | undefined>;
}

/**
 * A role's look at Kafka before it begins: that it is the cluster that is meant, and that the topics are as configured. While
 * Kafka can't be reached it waits; it never makes or changes anything. It doesn't wait for the database: what needs that one
 * begins after {@link compared}.
 */
export class StartCheck {
  private readonly stopping = new AbortController();
  private wake: () => void = () => undefined;
  /** The cluster that answered; and whether the database has been asked about it. */
  private clusterId: string | undefined;
  private isCompared = false;

  constructor(private readonly options: StartCheckOptions) {}

  /**
   * @returns false if it was stopped before it knew
   * @throws Refusal: TopicsUnusable, WrongCluster
   */
  async pass(): Promise<boolean> {
    let said = false;
    while (!this.stopping.signal.aborted) {
      try {
        await this.look();
        return !this.stopping.signal.aborted;
      } catch (error) {
        if (error instanceof Refusal) throw error;
        if (!said) this.options.logger.warn({ err: error }, 'the topics can not be looked at yet; it is tried again');
        said = true;
      }
      await this.pause();
    }
    return false;
  }

  /**
   * After {@link pass}: waits until the database could be asked which cluster it belongs to.
   * @returns false if it was stopped before that
   * @throws Refusal: WrongCluster; a database that can't be worked with
   */
  async compared(): Promise<boolean> {
    const { inDatabase, logger } = this.options;
    if (inDatabase === undefined) return true;
    for (let said = false; !this.stopping.signal.aborted; said = true) {
      if (!this.isCompared) await this.compare();
      if (this.isCompared) return true;
      if (!said) logger.warn({}, 'the database can not be asked yet which Kafka it belongs to; what needs it waits');
      await this.pause();
    }
    return false;
  }

  stop(): void {
    this.stopping.abort(new Error('stopped'));
    this.wake();
  }

  private async look(): Promise<void> {
    const { kafka, topics, plan, logger } = this.options;
    // Made anew each time, so that another broker is asked first.
    const admin = kafka.admin();
    try {
      await admin.connect();
      const { clusterId } = await admin.describeCluster();
      this.clusterId = clusterId;
      await this.compare();
      assertCluster(clusterId, topics.clusterId, { 'hookline.progress': await this.inProgress(admin) });
      await inspectTopics(admin, plan, logger, { accepted: topics.acceptedRisks });
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }

  private async compare(): Promise<void> {
    const remembered = await this.options.inDatabase?.();
    if (remembered === undefined || this.clusterId === undefined) return;
    assertCluster(this.clusterId, this.options.topics.clusterId, { 'the database': remembered.id });
    this.isCompared = true;
  }

  private async inProgress(admin: Admin): Promise<string | undefined> {
    const signal = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(REMEMBERED_WITHIN_MS)]);
    try {
      if (!(await admin.listTopics()).includes(TOPICS.progress)) return undefined;
      const reader = new ProgressReader<ClusterRecord>(this.options.kafka, CLUSTER_KEY);
      return (await reader.catchUp(admin, signal)).get(CLUSTER_KEY)?.record.clusterId;
    } catch {
      return undefined;
    }
  }

  private pause(): Promise<void> {
    if (this.stopping.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.options.clock.after(RETRY_MS, resolve);
      this.wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
