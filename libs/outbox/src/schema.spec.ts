import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { loadConfig, publishSection } from '@hookline/config';
import { DEFAULT_LIMITS } from './names.js';
import { outboxSchema } from './schema.js';

describe('outboxSchema', () => {
  it('is what outbox.sql says, for who has no Hookline at hand', () => {
    // `hookline outbox-schema > libs/outbox/outbox.sql` writes it anew.
    expect(readFileSync(new URL('../outbox.sql', import.meta.url), 'utf8')).toBe(outboxSchema(DEFAULT_LIMITS));
  });

  it('has the limits of ingest by default', () => {
    const { publish } = loadConfig({ publish: publishSection }, {});
    expect(publish).toMatchObject(DEFAULT_LIMITS);
  });

  it('takes others', () => {
    const sql = outboxSchema({ ...DEFAULT_LIMITS, maxEventBytes: 1_234, maxIdLength: 99 });
    expect(sql).toContain('octet_length(NEW.data::text) > 1234');
    expect(sql).toContain('length(NEW.id) > 99');
  });
});
