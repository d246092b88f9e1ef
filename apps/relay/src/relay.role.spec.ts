import { describe, expect, it } from '@jest/globals';
import { httpSection, loadConfig, loggingSection } from '@hookline/config';
import { newId } from '@hookline/domain';
import { relayRole } from './relay.role.js';

const faultsOf = (env: Record<string, string>): string[] =>
  relayRole.check?.(
    loadConfig(
      { http: httpSection, logging: loggingSection, ...relayRole.sections },
      { KAFKA_BROKERS: 'localhost:9092', ...env },
    ),
  ) ?? [];

const OUTBOX = { HOOKLINE_RELAY_DATABASE_URL: 'postgres://localhost/shop' };

describe('the settings of the relay', () => {
  it('are fine with an outbox and whose it is', () => {
    expect(faultsOf({ ...OUTBOX, HOOKLINE_RELAY_TENANT: newId('ten') })).toEqual([]);
    expect(faultsOf({ ...OUTBOX, HOOKLINE_RELAY_TENANTS: `${newId('ten')}, ${newId('ten')}` })).toEqual([]);
  });

  it('are at fault where there is nothing to relay', () => {
    expect(faultsOf({})).toEqual([expect.stringContaining('there is nothing to relay')]);
    expect(faultsOf({ HOOKLINE_RELAY_TENANT: newId('ten') })).toHaveLength(1);
  });

  it('are at fault where nobody is named whose events these are, or something that is no tenant', () => {
    expect(faultsOf(OUTBOX)).toEqual([expect.stringContaining('HOOKLINE_RELAY_TENANT is not set')]);
    expect(faultsOf({ ...OUTBOX, HOOKLINE_RELAY_TENANT: 'shop' })).toEqual([expect.stringMatching(/ten_….*not shop/)]);
  });
});
