import { readFileSync } from 'node:fs';

const { compilerOptions } = JSON.parse(readFileSync(new URL('tsconfig.json', import.meta.url), 'utf8'));

/** `@hookline/x` → the library's index, as in tsconfig.json; and `./file.js` → `./file`, which is a .ts file here. */
const moduleNameMapper = {
  ...Object.fromEntries(
    Object.entries(compilerOptions.paths).map(([alias, [path]]) => [`^${alias}$`, path.replace('./', '<rootDir>/')]),
  ),
  '^(\\.{1,2}/.*)\\.js$': '$1',
};

const common = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper,
  transform: {
    '^.+\\.ts$': '@swc/jest',
    // ESM only, and required by CommonJS packages: Jest can do that from Node 24.9 on only.
    '/node_modules/(content-disposition|cookie)/.+\\.js$': [
      '@swc/jest',
      { swcrc: false, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!(content-disposition|cookie)/)', '\\.mjs$'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.hookline/'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/dist/'],
};

export default {
  // Brokers share the machine with the tests: more workers only make them wait for each other.
  maxWorkers: 2,
  // For a test that hangs. Each wait has a deadline of its own, 60 to 90 s, and says what it waited for: several of them
  // in one test are to end before this does.
  testTimeout: 300_000,
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/{apps,libs,bench,tools,test/faults}/**/*.spec.ts'],
      testPathIgnorePatterns: [...common.testPathIgnorePatterns, '\\.int\\.spec\\.ts$'],
    },
    {
      ...common,
      displayName: 'integration',
      testMatch: ['<rootDir>/{apps,libs,bench,tools}/**/*.int.spec.ts'],
      globalSetup: '<rootDir>/libs/testing/jest/setup.mjs',
      globalTeardown: '<rootDir>/libs/testing/jest/teardown.mjs',
    },
    {
      ...common,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/**/*.e2e.spec.ts'],
      // One after another: each starts a Hookline with three brokers of its own, and most of them kill parts of it.
      runner: '<rootDir>/libs/testing/jest/serial-runner.mjs',
    },
  ],
};
