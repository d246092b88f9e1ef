import { TOPICS } from '@hookline/contracts';
import { ApiKey, Subscription, toSubscriptionRecord, type PendingRecord } from '@hookline/persistence';
import { In } from 'typeorm';
import type { Database } from '../database/database.js';
import { toRecord } from '../keys/keys.service.js';

/** What the compacted topics should say, which is what the rows say. */
export class CurrentRecords {
  constructor(private readonly database: Database) {}

  /** The version of every key of a topic. */
  async versions(topic: string): Promise<Map<string, number>> {
    const table = topic === TOPICS.subscriptions ? 'subscriptions' : 'api_keys';
    const rows = await this.database.query<{ id: string; version: number }[]>(`SELECT id, version FROM ${table}`);
    return new Map(rows.map(({ id, version }) => [id, version]));
  }

  async of(topic: string, keys: readonly string[]): Promise<PendingRecord[]> {
    const where = { id: In([...keys]) };
    if (topic === TOPICS.subscriptions)
      return (await this.database.run((manager) => manager.findBy(Subscription, where))).map(toSubscriptionRecord);
    return (await this.database.run((manager) => manager.findBy(ApiKey, where))).map(toRecord);
  }
}
