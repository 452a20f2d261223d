/** Types are checked by tsc; here SWC only strips them. */
export default {
  testEnvironment: 'node',
  // A test that hangs is found all the same; a busy machine is no failure.
  testTimeout: 20_000,
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } },
    ],
  },
  moduleNameMapper: {
    // A worker thread is no module of jest's: it needs JavaScript.
    '^\\./spawn-worker\\.js$': '<rootDir>/test/support/spawn-worker.ts',
    // The look-behind keeps libphonenumber-js's "metadata.min.json.js" whole.
    '^(\\.{1,2}/.*)(?<!\\.json)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  testMatch: ['<rootDir>/test/**/*.test.ts', '<rootDir>/adapters/**/*.test.ts'],
  // nock's own advice (JEST-01): jest's clean-up of globals breaks its interceptors.
  testEnvironmentOptions: { globalsCleanup: 'off' },
};
