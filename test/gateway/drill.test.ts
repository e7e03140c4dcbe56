import { describe, expect, test } from 'vitest'
import { CommandGateway } from '../drill/command-gateway.ts'
import { type DrilledGateway, PATIENT, SETTINGS } from '../drill/drilled-gateway.ts'
import { type Drill, DRILLS } from '../drill/drills.ts'
import { LimpetGateway } from '../drill/limpet-gateway.ts'
import { runDrill } from '../drill/run.ts'
import type { BackendProcess } from '../support/shop-process.ts'

/** Operators' commands and failing backends, with few visitors; `npm run drill` has all of them on each adapter. */
const LOAD = { visitors: 30, perSecond: 60 }

/**
 * The command has every drill on Fastify, whose plugin it mounts. The adapters of Express and Koa share their forwarder,
 * and take turns. The admin API takes part most in a rolling deploy: the command has it on the other adapters, too.
 */
const BY_COMMAND: readonly (readonly [drill: string, adapter: string])[] = [
  ...DRILLS.map(({ name }) => [name, 'fastify'] as const),
  ['rolling deploy', 'express'],
  ['rolling deploy', 'koa'],
]
const BY_ADAPTER = DRILLS.map((drill, at) => ({
  drill,
  name: drill.name,
  shows: drill.shows,
  adapter: at % 2 === 0 ? 'express' : 'koa',
}))

type Start = (shops: readonly BackendProcess[]) => Promise<DrilledGateway>

// At the same time: most of a drill is waiting.
describe.concurrent.each(BY_ADAPTER)('$name: $shows', { timeout: 180_000 }, ({ drill, adapter }) => {
  const settings = drill.isFoundByTimeout === true ? SETTINGS : PATIENT
  test(`by the adapter of ${adapter}`, async () => {
    await expectNoProblems(drill, async shops => LimpetGateway.start(adapter, shops, settings))
  })

  const ofCommand = BY_COMMAND.filter(([name]) => name === drill.name)
  test.each(ofCommand)('%s, by the command with %s', async (_name, by) => {
    await expectNoProblems(drill, async shops => CommandGateway.start(by, shops, settings))
  })
})

async function expectNoProblems(drill: Drill, start: Start): Promise<void> {
  const outcome = await runDrill(drill, start, LOAD)
  console.log(`${drill.name}: ${JSON.stringify(outcome)}`)
  expect(outcome?.problems).toEqual([])
  expect(outcome?.requests).toBeGreaterThan(50)
}
