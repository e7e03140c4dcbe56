import { describe, expect, test } from 'vitest'
import { CommandGateway } from '../drill/command-gateway.ts'
import { type DrilledGateway, PATIENT, SETTINGS } from '../drill/drilled-gateway.ts'
import { type Drill, DRILLS } from '../drill/drills.ts'
import { LimpetGateway } from '../drill/limpet-gateway.ts'
import { runDrill } from '../drill/run.ts'
import type { BackendProcess } from '../support/shop-process.ts'

/** Operators' commands and failing backends, with few visitors; `npm run drill` has all of them. */
const LOAD = { visitors: 30, perSecond: 60 }
const ADAPTERS = ['fastify', 'express', 'koa']

/**
 * The command puts the same configuration, checks and admin API around each adapter, and the adapters have drills of
 * their own. So it has all of them on one adapter, and on the others the one in which its admin API takes part most.
 */
const BY_COMMAND: readonly (readonly [drill: string, adapter: string])[] = [
  ...DRILLS.map(({ name }) => [name, 'fastify'] as const),
  ['rolling deploy', 'express'],
  ['rolling deploy', 'koa'],
]

type Start = (shops: readonly BackendProcess[]) => Promise<DrilledGateway>

// At the same time: most of a drill is waiting.
describe.concurrent.each(DRILLS)('$name: $shows', { timeout: 180_000 }, drill => {
  const settings = drill.isFoundByTimeout === true ? SETTINGS : PATIENT
  test.each(ADAPTERS)('by the adapter of %s', async adapter => {
    await expectNoProblems(drill, async shops => LimpetGateway.start(adapter, shops, settings))
  })

  const ofCommand = BY_COMMAND.filter(([name]) => name === drill.name)
  test.each(ofCommand)('%s, by the command with %s', async (_name, adapter) => {
    await expectNoProblems(drill, async shops => CommandGateway.start(adapter, shops, settings))
  })
})

async function expectNoProblems(drill: Drill, start: Start): Promise<void> {
  const outcome = await runDrill(drill, start, LOAD)
  console.log(`${drill.name}: ${JSON.stringify(outcome)}`)
  expect(outcome?.problems).toEqual([])
  expect(outcome?.requests).toBeGreaterThan(50)
}
