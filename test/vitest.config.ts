import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // A polled condition holds at once, unless the machine is busy.
    expect: { poll: { timeout: 5_000 } },
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
