import { describe, expect, it } from '@jest/globals';
import { httpSection, loadConfig, loggingSection } from '@hookline/config';
import { faultsOf, sections } from './settings.js';

function faults(env: Record<string, string>): string[] {
  const settings = loadConfig(
    { http: httpSection, logging: loggingSection, ...sections },
    {
      KAFKA_BROKERS: 'localhost:9092',
      DATABASE_URL: 'postgres://localhost/x',
      HOOKLINE_SEALING_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
      ...env,
    },
  );
  return faultsOf(settings);
}

describe('the settings of failing subscriptions', () => {
  it('fit together as they are', () => {
    expect(faults({})).toEqual([]);
  });

  it('do not where a warning would come too late, or a gap is no longer than one between two attempts', () => {
    expect(faults({ HOOKLINE_FAILING_WARNINGS: '1h,24h' })).toEqual([expect.stringMatching(/FAILING_WARNINGS/)]);
    expect(faults({ HOOKLINE_FAILING_GAP: '4h' })).toEqual([expect.stringMatching(/FAILING_GAP/)]);
  });
});
