import { defineConfig } from 'vitest/config';

/** Three projects: `unit` is what `npm run check` runs; `slow` and `compat` join in `npm test`. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          setupFiles: ['test/support/seed.ts'],
          include: ['test/*.test.ts', 'test/{unit,contract,format}/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
      { test: { name: 'system', include: ['test/{system,diff,sim,spec}/**/*.test.ts'], testTimeout: 60_000 } },
      { test: { name: 'compat', include: ['test/compat/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 } },
    ],
  },
});
