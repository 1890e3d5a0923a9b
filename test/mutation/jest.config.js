import base from '../../jest.config.js';

/**
 * The tests that a mutant meets: those of the domain and of the executor which need no server of any kind, in this process, in their quick form.
 * KEYTURN_MUTATION_TESTS (comma-separated parts of paths) narrows them, for one file at a time.
 */
const parts = (process.env.KEYTURN_MUTATION_TESTS ?? '').split(',');

export default {
  ...base,
  globalSetup: undefined,
  globalTeardown: undefined,
  rootDir: '../..',
  testMatch: parts.map((part) => `<rootDir>/test/{domain,executor}/**/*${part}*.test.ts`),
  // PostgreSQL's own process; every byte of every file flipped; thousands of orders at random: each costs more than all the others together.
  testPathIgnorePatterns: ['/node_modules/', '/ledger-(postgres|contract|transitions)\\.', '/evidence-flips-', '/hostile-coordinator\\.'],
  setupFiles: ['<rootDir>/test/mutation/seed.mjs'],
};
