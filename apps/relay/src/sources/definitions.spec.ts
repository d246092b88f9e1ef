import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readDefinitions } from './definitions.js';

const orders = { name: 'orders', tenant: 'ten_1', topic: 'shop.orders', format: 'cloudevents' };
const inline = (list: unknown) => readDefinitions({ inline: JSON.stringify(list), file: undefined });

describe('readDefinitions', () => {
  it('has no sources where none are named', () => {
    expect(readDefinitions({ inline: undefined, file: undefined })).toEqual({ sources: [], faults: [] });
  });

  it('reads a list in JSON, and in YAML from a file', () => {
    expect(inline([orders])).toEqual({ sources: [orders], faults: [] });
    const folder = mkdtempSync(join(tmpdir(), 'hookline-sources-'));
    const file = join(folder, 'sources.yaml');
    writeFileSync(
      file,
      `
- name: orders
  tenant: ten_1
  topic: shop.orders
  format:
    mapping:
      type: { constant: order.changed }
      key: { recordKey: text }
  kafka: { brokers: ['other:9092'], tls: true }
`,
    );
    try {
      const { sources, faults } = readDefinitions({ inline: undefined, file });
      expect(faults).toEqual([]);
      expect(sources).toMatchObject([
        {
          format: { mapping: { type: { constant: 'order.changed' }, key: { recordKey: 'text' } } },
          kafka: { brokers: ['other:9092'], tls: true, saslMechanism: 'none' },
        },
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['no list', { a: 1 }, /HOOKLINE_SOURCES must be a list/],
    ['a name with a space', [{ ...orders, name: 'a b' }], /HOOKLINE_SOURCES\[0\]\.name must be 1 to 64/],
    ['no tenant', [{ ...orders, tenant: undefined }], /\[0\]\.tenant is required/],
    ['a topic of Hookline', [{ ...orders, topic: 'hookline.events' }], /\[0\]\.topic must not be a topic of Hookline/],
    ['a topic of Kafka', [{ ...orders, topic: '__consumer_offsets' }], /\[0\]\.topic must not be/],
    ['an unknown format', [{ ...orders, format: 'avro' }], /\[0\]\.format must be cloudevents/],
    ['an unknown field', [{ ...orders, retries: 3 }], /\[0\]\.retries is not a field of a source/],
    [
      'a mapping without a type',
      [{ ...orders, format: { mapping: {} } }],
      /\[0\]\.format\.mapping\.type must be one of/,
    ],
    [
      'a pointer that is none',
      [{ ...orders, format: { mapping: { type: { pointer: 'a' } } } }],
      /\[0\]\.format\.mapping\.type/,
    ],
    [
      'an attribute in a mapping',
      [{ ...orders, format: { mapping: { type: { attribute: 'type' } } } }],
      /\[0\]\.format\.mapping\.type names an attribute/,
    ],
    ['a cluster without brokers', [{ ...orders, kafka: { brokers: [] } }], /\[0\]\.kafka\.brokers must not be empty/],
    [
      'a login without a password',
      [{ ...orders, kafka: { brokers: ['a:1'], saslMechanism: 'plain', saslUsername: 'me' } }],
      /\[0\]\.kafka\.saslPasswordFile is needed/,
    ],
    [
      'a file that is not there',
      [{ ...orders, kafka: { brokers: ['a:1'], tlsCaFile: '/no/such.pem' } }],
      /\[0\]\.kafka\.tlsCaFile can't be read: \/no\/such\.pem/,
    ],
    ['a name that is taken', [orders, { ...orders, topic: 'b' }], /\[1\]\.name orders is another source's already/],
    [
      'a topic that is taken',
      [orders, { ...orders, name: 'b', tenant: 'ten_2' }],
      /\[1\]\.topic shop\.orders is another/,
    ],
    ['no source at all', [null], /HOOKLINE_SOURCES\[0\] /],
  ])('refuses %s', (_what, list, message) => {
    expect(inline(list).faults.join('\n')).toMatch(message);
  });

  it('says everything that is wrong at once', () => {
    const { faults } = inline([
      { ...orders, name: '' },
      { ...orders, topic: 'hookline.x' },
      { name: 'c', x: 1 },
    ]);
    expect(faults.length).toBeGreaterThanOrEqual(5);
    for (const at of ['[0].name', '[1].topic', '[2].tenant', '[2].topic', '[2].format', '[2].x'])
      expect(faults.join('\n')).toContain(`HOOKLINE_SOURCES${at}`);
  });

  it('refuses two lists, a file that is not there, and what is neither JSON nor YAML', () => {
    expect(readDefinitions({ inline: '[]', file: '/x' }).faults.join('')).toMatch(/both set/);
    expect(readDefinitions({ inline: undefined, file: '/no/such/file' }).faults.join('')).toMatch(/can't be read/);
    expect(readDefinitions({ inline: '[', file: undefined }).faults.join('')).toMatch(/neither JSON nor YAML/);
  });
});
