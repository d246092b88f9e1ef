import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { agedOutKey, encodeProgress, TOPICS, type AgedOutRecord } from '@hookline/contracts';
import { createDataSource, noteGap } from '@hookline/persistence';
import { uniqueName } from '@hookline/testing';
import { AdminRig, adminSettings } from '../testing/admin-rig.js';
import { testProducer } from '../testing/topics.js';

describe('GET /v1/age-outs', () => {
  let rig: AdminRig;
  beforeAll(async () => {
    rig = await AdminRig.start();
    await rig.role.started;
  });
  afterAll(() => rig.stop());

  it('lists what was not read, and what the recorder has not got, with topic, partition, offsets and times', async () => {
    const group = uniqueName('group');
    const record: AgedOutRecord = {
      v: 1,
      group,
      topic: TOPICS.events,
      partition: 2,
      from: 280,
      to: 869,
      foundAt: 3_000,
      since: 1_000,
      until: 2_000,
      state: 'lost',
      lost: [{ partition: 2, first: 280, last: 868, firstAt: 1_000, lastAt: 2_000, deliveries: 0 }],
    };
    const producer = await testProducer();
    const messages = [{ partition: 0, key: agedOutKey(record), value: encodeProgress(record) }];
    await producer.send({ topic: TOPICS.progress, acks: -1, messages });
    await producer.disconnect();

    const database = await createDataSource(adminSettings(rig.database.url).database).initialize();
    const gap = { topic: TOPICS.attempts, partition: 1, from: 10, to: 400 };
    await noteGap(database, gap, TOPICS.events, 5_000);
    await database.destroy();

    const { status, body } = await rig.operator.get('/v1/age-outs');
    expect(status).toBe(200);
    const items = (body['items'] as { group: string }[]).filter((each) => each.group === group);
    const [since, until] = ['1970-01-01T00:00:01.000Z', '1970-01-01T00:00:02.000Z'];
    expect(items).toEqual([
      {
        group,
        topic: TOPICS.events,
        partition: 2,
        from: 280,
        to: 869,
        foundAt: '1970-01-01T00:00:03.000Z',
        since,
        until,
        state: 'lost',
        lost: [{ partition: 2, first: 280, last: 868, firstAt: since, lastAt: until, deliveries: 0 }],
      },
    ]);
    expect(body['recorderGaps']).toEqual([{ ...gap, foundAt: expect.any(String), until: '1970-01-01T00:00:05.000Z' }]);
  });
});
