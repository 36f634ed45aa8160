import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/architecture.test.ts', 'dev/**/*.test.ts'],
          // Nothing here keeps state in modules, and loading them once for all files halves the time.
          isolate: false,
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['src/**/*.itest.ts', 'test/chaos/*.itest.ts'],
          globalSetup: ['dev/bundle.mjs', 'test/support/postgres-server.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'peers',
          include: ['test/peers/**/*.ptest.ts'],
          globalSetup: ['dev/bundle.mjs'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
