import { expect, test } from 'vitest'
import { fuzz, regressions, replay } from './campaign.ts'

/** The same messages each time; `npm run fuzz` takes others, and more. */
const SEED = 20_261
const COUNT = 8_000

test('mutated responses crash nothing, hang nothing, and hide no message', async () => {
  expect(await fuzz({ side: 'responses', count: COUNT, seed: SEED })).toBeGreaterThanOrEqual(COUNT)
}, 300_000)

test('mutated responses that failed once do not fail again', async () => {
  for (const [, regression] of regressions('responses')) await replay(regression)
}, 300_000)
