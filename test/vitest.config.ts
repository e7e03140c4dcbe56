import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    // Limits for what never ends. A condition holds at once, and a process starts at once, unless the machine is busy.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    // Drills are mostly waiting, but more of them at a time would starve each other.
    maxConcurrency: 3,
    // The tests open sockets and measure time; more files at once than this disturb each other.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'packages', include: ['packages/*/src/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'test',
          include: ['test/**/*.test.ts'],
          exclude: ['test/apps/**', '**/node_modules/**'],
        },
      },
      {
        extends: true,
        // The packages are packed and installed once for all of them.
        test: {
          name: 'apps',
          include: ['test/apps/*.test.ts'],
          globalSetup: fileURLToPath(new URL('apps/install.ts', import.meta.url)),
        },
      },
    ],
  },
})
