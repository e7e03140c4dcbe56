import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Their files share modules: they start few processes, and leave nothing behind in their own. */
const FRAMEWORKS = 'test/{docs,express,fastify,hono,http-proxy,koa,metrics,stats}/**/*.test.ts'
/** Each of these files has a process of its own: they are long, measure memory, or count objects of a whole process. */
const ALONE = [
  'test/*/contract*.test.ts',
  'test/fastify/backend-connections.test.ts',
  'test/http-proxy/big-transfers.test.ts',
]
/** It measures memory. */
const MEMORY = 'packages/core/src/policies/cookie/retained-memory.test.ts'

/** More than half a minute each. One that began last would be alone at the end. */
const LONG =
  /\/(contract[^/]*|drill|fleet-drill|fleet-drains|clients|workers|command|examples|store|operator)\.test\.ts$/

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- a method of vitest, which leaves the array as it is
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter(file => !isLong(file))]
  }
}

// Workers, and the processes that tests start, would compile the same modules again and again.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('node_modules/.cache/compile', import.meta.url))

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    // Limits for what never ends. A condition holds at once, and a process starts at once, unless the machine is busy.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    // Drills are mostly waiting, but more of them at a time would starve each other.
    maxConcurrency: 3,
    // Two for each of two cores: a file waits for two thirds of its time.
    maxWorkers: 4,
    sequence: { sequencer: LongFirst },
    projects: [
      // A process for each file would load and compile the same modules again: half of the time.
      {
        extends: true,
        test: {
          name: 'packages',
          isolate: false,
          include: ['packages/*/src/**/*.test.ts'],
          exclude: [MEMORY],
        },
      },
      {
        extends: true,
        test: { name: 'frameworks', isolate: false, include: [FRAMEWORKS], exclude: ALONE },
      },
      {
        extends: true,
        test: {
          name: 'test',
          include: ['test/**/*.test.ts', MEMORY],
          exclude: ['test/apps/**', FRAMEWORKS, '**/node_modules/**'],
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE },
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
