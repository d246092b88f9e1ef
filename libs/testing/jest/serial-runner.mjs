import { createRequire } from 'node:module';

const { default: TestRunner } = createRequire(import.meta.url)('jest-runner');

/** Runs its test files one after another, after those of the other projects, whatever `maxWorkers` is. */
export default class SerialRunner extends TestRunner {
  isSerial = true;
}
