import { afterAll, describe, expect, it } from '@jest/globals';
import { Started } from './support/started.js';

const TEST_MS = 240_000;

describe('npm run demo', () => {
  let demo: Started | undefined;
  afterAll(async () => {
    demo?.signal('SIGTERM');
    await demo?.code;
  });

  it(
    'shows everything from a subscription to a replay, and ends with 0 because every step held',
    async () => {
      demo = Started.demo();
      const code = await demo.code;
      expect({ code, output: demo.output }).toEqual({ code: 0, output: expect.stringContaining('Every step held') });
    },
    TEST_MS,
  );
});
