import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/helpers/no-network.ts'],
    reporters: ['default', './test/helpers/summary-reporter.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // On two cores it would be one, which waits for timers and daemons half of its time.
    maxWorkers: 2,
    // A shared machine may stand still for seconds. What passed only at the second try is named at the end.
    retry: process.env.CI ? 1 : 0,
  },
})
