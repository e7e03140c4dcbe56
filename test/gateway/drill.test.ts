import { describe, expect, test } from 'vitest'
import { CommandGateway } from '../drill/command-gateway.ts'
import type { DrilledGateway } from '../drill/drilled-gateway.ts'
import { DRILLS } from '../drill/drills.ts'
import { LimpetGateway } from '../drill/limpet-gateway.ts'
import { runDrill } from '../drill/run.ts'
import type { BackendProcess } from '../support/shop-process.ts'

/** Operators' commands and failing backends, with few visitors; `npm run drill` has all of them. */
const LOAD = { visitors: 30, perSecond: 60 }
const ADAPTERS = ['fastify', 'express', 'koa']

type Start = (adapter: string, shops: readonly BackendProcess[]) => Promise<DrilledGateway>

const GATEWAYS: readonly (readonly [by: string, start: Start])[] = [
  ['the adapter', async (adapter, shops) => LimpetGateway.start(adapter, shops)],
  ['the command', async (adapter, shops) => CommandGateway.start(adapter, shops)],
]

describe.each(GATEWAYS)('by %s', (by, start) => {
  describe.each(DRILLS)('$name: $shows', drill => {
    // At the same time: most of a drill is waiting.
    test.concurrent.each(ADAPTERS)(
      '%s',
      async adapter => {
        const outcome = await runDrill(drill, async shops => start(adapter, shops), LOAD)
        console.log(`${drill.name}, ${by}, ${adapter}: ${JSON.stringify(outcome)}`)
        expect(outcome?.problems).toEqual([])
        expect(outcome?.requests).toBeGreaterThan(50)
      },
      60_000,
    )
  })
})
