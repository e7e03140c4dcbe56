import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'
import { SECRET } from '../contract/start.ts'
import { startBackends } from '../support/backend.ts'

const run = promisify(execFile)

test('a CommonJS application under Jest requires the packages', async () => {
  const backends = await startBackends('w1', 'w2')
  const folder = inject('installed')
  const jest = join(folder, 'node_modules/jest/bin/jest.js')
  const { stderr } = await run(process.execPath, ['--experimental-vm-modules', jest, '--runInBand'], {
    cwd: join(folder, 'jest'),
    env: {
      PATH: process.env['PATH'],
      LIMPET_SECRET: SECRET,
      BACKENDS: JSON.stringify(backends.map(({ options }) => options)),
    },
  })
  expect(stderr).toMatch(/Tests: +3 passed, 3 total/)
})
