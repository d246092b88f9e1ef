import { describe, expect, it } from '@jest/globals';
import { ROLES, rolesFor, settingsFor, type Surroundings } from './role-settings.js';

const OUTBOX = 'postgres://shop:secret@127.0.0.1:5432/shop';
const around: Surroundings = {
  brokers: ['127.0.0.1:9092'],
  copies: 1,
  databaseUrl: 'postgres://hookline:secret@127.0.0.1:5432/hookline',
  secrets: { sealingKeys: 'main:key', operatorToken: 'token' } as Surroundings['secrets'],
  settings: { HOOKLINE_RELAY_DATABASE_URL: OUTBOX, HOOKLINE_RELAY_TENANT: 'ten_a' },
};

describe('the roles of an installation', () => {
  it('have a relay only where there is something to relay', () => {
    expect(rolesFor({})).toEqual(['ingest', 'admin-api', 'delivery', 'recorder']);
    expect(rolesFor({ HOOKLINE_RELAY_DATABASE_URL: '' })).not.toContain('relay');
    for (const name of ['HOOKLINE_RELAY_DATABASE_URL', 'HOOKLINE_SOURCES', 'HOOKLINE_SOURCES_FILE'])
      expect(rolesFor({ [name]: 'something' })).toEqual([...ROLES]);
  });

  it("tell the relay alone where a producer's database is, and not where Hookline's own is", () => {
    for (const role of [...ROLES, 'setup'] as const) {
      const settings = settingsFor(role, around);
      expect([role, settings['HOOKLINE_RELAY_DATABASE_URL']]).toEqual([role, role === 'relay' ? OUTBOX : undefined]);
      expect(settings['HOOKLINE_RELAY_TENANT']).toBe('ten_a');
    }
    expect(settingsFor('relay', around)).not.toHaveProperty('DATABASE_URL');
  });
});
