import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { fuzz, type Side } from './campaign.ts'

const HELP = `npm run fuzz -- [--requests 1000000] [--responses 1000000] [--seed N] [--minutes 60]

Gives mutated requests to gateways of all adapters, and mutated responses to their backends. It ends with
the first failure, which is kept in test/fuzz/regressions/. --minutes bounds each of the two.
`

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000000' },
    responses: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    minutes: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(HELP)
} else {
  const seed = Number(values.seed)
  for (const side of ['requests', 'responses'] as const) await campaign(side, Number(values[side]), seed)
}

async function campaign(side: Side, count: number, seed: number): Promise<void> {
  const startedMs = performance.now()
  let told = 0
  const seconds = (): string => `${((performance.now() - startedMs) / 1_000).toFixed(0)} s`
  console.log(`${count} mutated ${side}, seed ${seed}`)
  const done = await fuzz({
    side,
    count,
    seed,
    minutes: Number(values.minutes),
    onProgress(number) {
      if (number < told + 50_000) return
      told = number
      console.log(`  ${number} after ${seconds()}`)
    },
  })
  console.log(`  ${done} in ${seconds()}, nothing found`)
}
