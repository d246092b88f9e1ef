import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { noteGap, noteJumps, recorderGaps } from './recorder-gaps.js';
import { HistoryRig } from './testing/history-rig.js';

describe('gaps of the recorder', () => {
  let rig: HistoryRig;

  beforeAll(async () => {
    rig = await HistoryRig.open();
  });
  afterAll(() => rig.close());

  it('that grew before they were passed are as long as the longest, with the times that the others knew', async () => {
    const place = { topic: 'events', partition: 1 };
    await rig.days.ensure(rig.pool, [5_000]);
    await rig.pool.query(
      `INSERT INTO events (partition, "offset", appended_at, tenant_id, event_id, type, time, payload, size)
       VALUES (1, 9, to_timestamp(5), 'ten_1', 'e', 't', 'now', '{}', 2)`,
    );
    await noteGap(rig.dataSource, { ...place, from: 10, to: 20 }, 'events', 8_000);
    await noteGap(rig.dataSource, { ...place, from: 10, to: 30 }, 'events', 9_000);
    const client = await rig.pool.connect();
    await noteJumps(client, [{ ...place, expected: 10, first: 40, next: 50 }]);
    client.release();
    expect(await recorderGaps(rig.dataSource)).toEqual([
      { ...place, from: 10, to: 40, since: 5_000, until: 9_000, notedAt: expect.any(Number) },
    ]);
  });
});
