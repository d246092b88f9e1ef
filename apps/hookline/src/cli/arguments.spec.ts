import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseCommand } from './arguments.js';

describe('parseCommand', () => {
  it('has a default for everything', () => {
    expect(parseCommand(['start'])).toEqual({
      command: 'start',
      options: { dataDir: resolve('.hookline'), brokers: 1, portBase: 8080, rebuildDatabase: false },
    });
    expect(parseCommand([]).command).toBe('help');
    expect(parseCommand(['start', '--help']).command).toBe('help');
  });

  it('takes the options', () => {
    const { options } = parseCommand([
      'start',
      '--brokers',
      '3',
      '--data',
      '/tmp/x',
      '--port-base',
      '9000',
      '--rebuild-database',
    ]);
    expect(options).toEqual({ dataDir: '/tmp/x', brokers: 3, portBase: 9000, rebuildDatabase: true });
  });

  it.each([
    [['stort'], /no command stort/],
    [['start', 'now'], /What is now/],
    [['start', '--brokers', '2'], /--brokers is 1 or 3, not 2/],
    [['start', '--port-base', '65532'], /--port-base is a port from 1 to 65531/],
    [['start', '--nope'], /--nope/],
  ])('refuses %j', (args, message) => {
    expect(() => parseCommand(args)).toThrow(message);
  });
});
