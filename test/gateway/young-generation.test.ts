import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const MODULE = new URL('../../packages/gateway/dist/young-generation.js', import.meta.url)

/** Keeps many objects for a while, as requests in flight do, and prints the size of V8's young generation. */
function youngGeneration(before: string): number {
  const program = `
import { getHeapSpaceStatistics } from 'node:v8'
import { setImmediate as turn } from 'node:timers/promises'
${before}
const kept = []
for (let round = 0; round < 3000; round += 1) {
  for (let each = 0; each < 1000; each += 1) kept[(round * 1000 + each) % 200_000] = { each, list: [round] }
  await turn()
}
console.log(getHeapSpaceStatistics().find(space => space.space_name === 'new_space').space_size)
`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  })
  return Number(stdout)
}

test('bounds the young generation of V8, which would grow to many times that', () => {
  const MiB = 1024 * 1024
  expect(youngGeneration('')).toBeGreaterThan(16 * MiB)
  const bounded = youngGeneration(
    `import { boundYoungGeneration } from ${JSON.stringify(MODULE.href)}\nboundYoungGeneration()`,
  )
  expect(bounded).toBeGreaterThan(2 * MiB)
  expect(bounded).toBeLessThanOrEqual(8 * MiB)
})
