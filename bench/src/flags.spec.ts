import { describe, expect, it } from '@jest/globals';
import { brokers, describeFlags, file, parseFlags, whole } from './flags.js';

const flags = {
  latencySeconds: whole(30, 'how long'),
  rounds: whole(1, 'how often', 0),
  brokers: brokers(),
  json: file('where'),
};

describe('flags', () => {
  it('are read by their names, and have their defaults', () => {
    expect(parseFlags(flags, ['--latency-seconds', '5', '--brokers=1', '--rounds', '0'])).toEqual({
      latencySeconds: 5,
      rounds: 0,
      brokers: 1,
      json: undefined,
    });
    expect(parseFlags(flags, [])).toEqual({ latencySeconds: 30, rounds: 1, brokers: 3, json: undefined });
    expect(describeFlags(flags)).toContain('--latency-seconds      how long (30)\n');
  });

  it.each([
    ['--latency-seconds', '0'],
    ['--latency-seconds', '1.5'],
    ['--brokers', '2'],
  ])('say which one is wrong: %s %s', (name, value) => {
    expect(() => parseFlags(flags, [name, value])).toThrow(name);
  });

  it('are refused when nobody knows them', () => {
    expect(() => parseFlags(flags, ['--lateny-seconds', '5'])).toThrow('lateny');
  });
});
