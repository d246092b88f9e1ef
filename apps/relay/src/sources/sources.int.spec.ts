import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigError } from '@hookline/config';
import { originText } from '@hookline/contracts';
import { uniqueName } from '@hookline/testing';
import type { SourceDefinition } from './definition.js';
import { redriveCommand } from './redrive-command.js';
import { SourcesRig } from './testing/sources-rig.js';

describe('sources on a real Kafka', () => {
  let rig: SourcesRig;
  beforeEach(async () => {
    rig = await SourcesRig.open();
  });
  afterEach(() => rig.close());

  const counted = (topic: string, changes: Partial<SourceDefinition> = {}): SourceDefinition => ({
    name: uniqueName('src'),
    tenant: rig.tenant,
    topic,
    format: { mapping: { type: { header: 'x-type' }, key: { recordKey: 'text' } } },
    ...changes,
  });

  it('waits for a topic that does not exist yet, says so, does not make it, and reads it from its start', async () => {
    const topic = uniqueName('later');
    const source = counted(topic);
    const { relay, metrics } = rig.relay([source]);
    expect(relay.readiness()).toMatch(/tenants of the sources have not been read/);
    await relay.start();
    await rig.until('it to say what it waits for', () =>
      (relay.readiness() ?? '').includes(`source ${source.name}: its topic ${topic} does not exist yet`),
    );
    expect(await rig.admin.listTopics()).not.toContain(topic);
    expect(relay.liveness()).toBeUndefined();
    await rig.topic(2, topic);
    await rig.send(topic, [
      { partition: 0, key: 'k', value: '{"n": 1.0}', headers: { 'x-type': 'a.b' } },
      { partition: 1, value: 'bad', headers: { 'x-type': 'a.b' } },
    ]);
    await rig.until('the event', async () => (await rig.events()).length > 0);
    await rig.until('the dead letter', async () => (await rig.deadLetters(source.name)).length > 0);
    await rig.until('it to be ready', () => relay.readiness() === undefined);
    // One event, by its id, however often it was sent.
    expect(await rig.events()).toMatchObject([
      { type: 'a.b', key: 'k', data: '{"n": 1.0}', id: expect.stringMatching(/^src_/) },
    ]);
    const text = await metrics.text();
    for (const result of ['taken', 'refused'])
      expect(text).toMatch(
        new RegExp(`hookline_source_records_total\\{source="${source.name}",result="${result}",role="relay"\\} [1-9]`),
      );
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('reads a topic that is compressed with %s', async (compression) => {
    const topic = await rig.topic(1, uniqueName(compression), compression);
    // Random in parts, so that there are literals and copies of many lengths.
    const values = Array.from({ length: 60 }, (_, n) => {
      const words = Array.from({ length: n ** 2 }, () => (Math.random() < 0.5 ? 'word' : String(Math.random())));
      return JSON.stringify({ n, words, run: 'x'.repeat(n * 500) });
    });
    const messages = values.map((value) => ({ partition: 0, key: 'k', value, headers: { 'x-type': 'a.b' } }));
    for (let from = 0; from < messages.length; from += 6) await rig.send(topic, messages.slice(from, from + 6));
    const { relay } = rig.relay([counted(topic)]);
    await relay.start();
    await rig.until('the events', async () => (await rig.events()).length >= values.length);
    expect((await rig.events()).map(({ data }) => data)).toEqual(values);
  });

  it('refuses to start for tenants that nobody knows, all of them at once', async () => {
    const { relay } = rig.relay([
      counted('a', { name: 'one', tenant: 'ten_x' }),
      counted('b'),
      counted('c', { name: 'two', tenant: 'ten_y' }),
    ]);
    const starting = relay.start();
    await expect(starting).rejects.toThrow(ConfigError);
    await expect(starting).rejects.toThrow(
      /source one: tenant ten_x is not known[^]*source two: tenant ten_y is not known/,
    );
  });

  it('stops before it was started, while it waits for its topic, and twice', async () => {
    const { relay } = rig.relay([counted(uniqueName('never'))]);
    const starting = relay.start();
    await relay.drain();
    await starting;
    const second = rig.relay([counted(uniqueName('never'))]).relay;
    await second.start();
    await Promise.all([second.drain(), second.drain()]);
    await second.close();
  });

  it('redrives dead letters once each when the source was mended; those that are still bad stay', async () => {
    const topic = await rig.topic(1);
    const source = counted(topic);
    const { relay } = rig.relay([source]);
    await relay.start();
    const headers = { 'x-kind': 'order.paid', reason: 'its own' };
    await rig.send(topic, [
      { partition: 0, key: 'k-1', value: '{"n":1}', headers },
      { partition: 0, key: 'k-1', value: 'never', headers },
      { partition: 0, key: 'k-1', value: '{"n":2}', headers },
      { partition: 0, key: 'k-2', value: '{"n":3}', headers },
    ]);
    await rig.until('the dead letters', async () => (await rig.deadLetters(source.name)).length >= 4);
    const [letter] = await rig.deadLetters(source.name);
    expect(letter).toMatchObject({ detail: 'type is required: the record has no header x-type' });
    expect(letter?.headers['reason']?.toString()).toBe('its own');
    expect(letter?.origin).toMatchObject({ tenant: rig.tenant, topic, partition: 0, offset: 0 });

    const redrive = (as: SourceDefinition, ...origins: string[]) => {
      const sources = JSON.stringify([as]);
      const env = { KAFKA_BROKERS: rig.brokers.join(','), HOOKLINE_SOURCES: sources, HOOKLINE_LOG_LEVEL: 'error' };
      return redriveCommand(env, source.name, origins);
    };
    const mended = counted(topic, {
      name: source.name,
      format: { mapping: { type: { header: 'x-kind' }, key: { recordKey: 'text' } } },
    });
    const at = (offset: number) => originText({ topic, partition: 0, offset });
    expect(await redrive(source)).toMatchObject({ redriven: [], still: [{}, {}, {}, {}] });
    expect(await redrive({ ...mended, tenant: 'ten_other' })).toMatchObject({
      redriven: [],
      still: [0, 1, 2, 3].map((offset) => ({ origin: at(offset), detail: expect.stringContaining('is of tenant') })),
    });
    expect(await redrive(mended, at(3))).toEqual({ redriven: [at(3)], still: [] });
    const result = await redrive(mended);
    expect(result.redriven.sort()).toEqual([at(0), at(2)]);
    expect(result.still).toEqual([{ origin: at(1), detail: expect.stringContaining('not JSON') }]);
    expect(await redrive(mended)).toEqual({ redriven: [], still: result.still });
    const events = await rig.events();
    const ofKey = (key: string) => events.filter((event) => event.key === key).map(({ data }) => data);
    expect(ofKey('k-1')).toEqual(['{"n":1}', '{"n":2}']);
    expect(ofKey('k-2')).toEqual(['{"n":3}']);
    expect(events).toHaveLength(3);
    await expect(redrive(counted(topic))).rejects.toThrow(`there is no source ${source.name}`);
  });
});
