import { eventJson } from './event-json.js';
import { LeanClient } from './lean-client.js';
import type { Plan } from './publishers.js';

const BATCH_EVENTS = 500;
const AT_ONCE = 4;

/**
 * Publishes `count` events as fast as batches go.
 * @returns their ids
 * @throws Error where a batch is refused: how many events there are would not be known any more
 */
export async function publishBatches(ingestUrl: string, apiKey: string, count: number, plan: Plan): Promise<string[]> {
  const headers = [`authorization: Bearer ${apiKey}`, 'content-type: application/json'];
  const client = new LeanClient(new URL(ingestUrl), '/v1/events/batch', headers, AT_ONCE);
  const ids: string[] = [];
  let next = 0;
  const publisher = async (): Promise<void> => {
    while (next < count) {
      const from = next;
      next = Math.min(count, from + BATCH_EVENTS);
      const events = Array.from({ length: next - from }, (_, i) => eventJson(plan(from + i), from + i));
      const { status, body } = await client.post(`{"events":[${events.join()}]}`);
      if (status !== 202) throw new Error(`a batch was answered ${status}: ${body.slice(0, 500)}`);
      for (const { id } of (JSON.parse(body) as { events: { id: string }[] }).events) ids.push(id);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, publisher));
  } finally {
    client.close();
  }
  return ids;
}
