import { defineConfig } from 'vitest/config';

/** The rooms keep what they have compiled, and tests of how much they keep begin with nothing kept. */
const ALONE = ['test/unit/bson/layout.test.ts'];

/**
 * `unit` and `unit-alone` are what `npm run check` runs, most files of it in one process, for to load the sources anew for
 * each takes as long as the tests; `system` and `compat` join in `npm test`.
 */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          setupFiles: ['test/support/seed.ts'],
          include: ['test/*.test.ts', 'test/{unit,contract,format}/**/*.test.ts'],
          exclude: ALONE,
          isolate: false,
          testTimeout: 20_000,
        },
      },
      { test: { name: 'unit-alone', setupFiles: ['test/support/seed.ts'], include: ALONE } },
      { test: { name: 'system', include: ['test/{system,diff,sim,spec}/**/*.test.ts'], testTimeout: 60_000 } },
      { test: { name: 'compat', include: ['test/compat/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 } },
    ],
  },
});
