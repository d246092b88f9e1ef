import { encodeCompacted, TOPICS, type SubscriptionRecord } from '@hookline/contracts';
import { newId, newSigningSecret } from '@hookline/domain';
import { Partitioners, type Message } from 'kafkajs';
import { benchKafka } from './bench-kafka.js';
import { benchSealer } from './sealing.js';
import type { Stage } from './stage.js';

const RECORDS_A_SEND = 500;
/** As many as the API allows a tenant by default. */
const PER_TENANT = 1_000;

/** Of these, so many belong to the tenant that publishes: what they get shows that all of them were read. */
const OWN = 5;

export interface Seeded {
  ids: string[];
  /** What those of the publishing tenant want, one each. */
  ownTypes: string[];
}

/**
 * Writes subscriptions straight into their topic, as records that admin-api would write: as many requests to its API
 * would take long, and PostgreSQL plays no part in delivery. All but a few are of other tenants.
 */
export async function seedSubscriptions(stage: Stage, count: number, own: string, url: string): Promise<Seeded> {
  const sealer = benchSealer();
  const seeded: Seeded = { ids: [], ownTypes: [] };
  const every = Math.max(1, Math.floor(count / OWN));
  let other = '';
  const next = (n: number): Message => {
    if (n % PER_TENANT === 0) other = newId('ten');
    // The last of each part, so that the very last one is among them.
    const isOwn = n % every === every - 1;
    const tenant = isOwn ? own : other;
    const types = isOwn ? [`own.type${n}`] : [`seeded.type${n % PER_TENANT}`, `seeded.group${n % 100}.*`];
    const id = newId('sub');
    seeded.ids.push(id);
    if (isOwn) seeded.ownTypes.push(...types);
    const secrets = JSON.stringify({ secrets: [newSigningSecret()], headers: {} });
    const record: SubscriptionRecord = {
      v: 1,
      version: 1,
      id,
      tenant,
      url: `${url}${id}`,
      types,
      status: 'enabled',
      sealed: sealer.seal(secrets, `${tenant}/${id}`),
      holdsFrom: {},
    };
    return { key: id, value: encodeCompacted(record) };
  };
  await write(stage, count, next);
  return seeded;
}

/** Takes them out of the topic again: a worker that starts then knows nothing of them. */
export async function forgetSubscriptions(stage: Stage, ids: readonly string[]): Promise<void> {
  await write(stage, ids.length, (n) => ({ key: ids[n] as string, value: null }));
}

async function write(stage: Stage, count: number, messageOf: (n: number) => Message): Promise<void> {
  const producer = benchKafka(stage).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  try {
    for (let from = 0; from < count; from += RECORDS_A_SEND) {
      const size = Math.min(RECORDS_A_SEND, count - from);
      const messages = Array.from({ length: size }, (_, i) => messageOf(from + i));
      await producer.send({ topic: TOPICS.subscriptions, acks: -1, messages });
    }
  } finally {
    await producer.disconnect();
  }
}
