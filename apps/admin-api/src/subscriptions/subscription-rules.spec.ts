import { describe, expect, it } from '@jest/globals';
import { ProblemError } from '@hookline/platform';
import { SubscriptionRules } from './subscription-rules.js';

const LIMITS = {
  httpsOnly: false,
  maxUrlLength: 60,
  maxTypes: 3,
  maxTypeLength: 20,
  maxHeaders: 2,
  maxHeaderBytes: 40,
  maxRatePerSecond: 100,
  maxRateBurst: 50,
  maxSubscriptionInFlight: 10,
};
const rules = new SubscriptionRules(LIMITS, (address) => address !== '127.0.0.1' && address !== '::1');

function fieldsOf(checked: Parameters<SubscriptionRules['assertValid']>[0], strict = rules): string[] {
  try {
    strict.assertValid(checked);
  } catch (error) {
    if (error instanceof ProblemError) return (error.problem.errors ?? []).map(({ field }) => field);
    throw error;
  }
  return [];
}

describe('SubscriptionRules', () => {
  it('finds nothing wrong with what may be', () => {
    const url = 'https://example.com:8443/a/b?c=d';
    expect(fieldsOf({ url, types: ['a.b', 'a.*', '*'], headers: { Authorization: 'Bearer a b' } })).toEqual([]);
    expect(fieldsOf({ url: 'http://8.8.8.8/' })).toEqual([]);
    expect(fieldsOf({ url: 'http://localhost/' })).toEqual([]);
    expect(fieldsOf({})).toEqual([]);
  });

  it.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0177.0.0.1/',
    'http://[::1]/',
    'http://[0:0::1]/',
  ])('knows a refused address in the form %s', (url) => {
    expect(fieldsOf({ url })).toEqual(['url']);
  });

  it('wants TLS where the settings do', () => {
    const strict = new SubscriptionRules({ ...LIMITS, httpsOnly: true }, () => true);
    expect(fieldsOf({ url: 'http://example.com/' }, strict)).toEqual(['url']);
    expect(fieldsOf({ url: 'https://example.com/' }, strict)).toEqual([]);
  });

  it('holds the limits, and names every fault', () => {
    expect(fieldsOf({ url: `https://example.com/${'a'.repeat(60)}` })).toEqual(['url']);
    expect(fieldsOf({ types: ['a', 'b', 'c', 'd'] })).toEqual(['types']);
    expect(fieldsOf({ types: ['ok', 'a'.repeat(21), '*.b'] })).toEqual(['types[1]', 'types[2]']);
    expect(fieldsOf({ headers: { a: '1', b: '2', c: '3' } })).toEqual(['headers']);
    expect(fieldsOf({ headers: { a: 'x'.repeat(40) } })).toEqual(['headers']);
    expect(fieldsOf({ headers: { 'webhook-x': '1', B: 'ü' } })).toEqual(['headers.webhook-x', 'headers.B']);
  });
});
