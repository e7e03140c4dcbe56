import { describe, expect, test } from 'vitest'
import { CommandGateway } from './drill/command-gateway.ts'
import { DRILLS } from './drill/drills.ts'
import { LimpetGateway } from './drill/limpet-gateway.ts'
import { runDrill } from './drill/run.ts'

/** What operators and backends do to a live pool, with few visitors; `npm run drill` has all of them. */
const LOAD = { visitors: 30, perSecond: 60 }
const ADAPTERS = ['fastify', 'express', 'koa']

describe.each(DRILLS)('$name: $shows', drill => {
  // At the same time: most of a drill is waiting.
  test.concurrent.each(ADAPTERS)(
    '%s',
    async adapter => {
      const outcome = await runDrill(drill, async shops => LimpetGateway.start(adapter, shops), LOAD)
      console.log(`${drill.name}, ${adapter}: ${JSON.stringify(outcome)}`)
      expect(outcome?.problems).toEqual([])
      expect(outcome?.requests).toBeGreaterThan(50)
    },
    60_000,
  )
})

// The pool is the same; what is its own is how it is told.
describe.each(DRILLS.filter(({ name }) => /^(?:rolling|scale)/.test(name)))(
  '$name, by the command',
  drill => {
    test.concurrent.each(ADAPTERS)(
      '%s',
      async adapter => {
        const outcome = await runDrill(drill, async shops => CommandGateway.start(adapter, shops), LOAD)
        console.log(`${drill.name}, command on ${adapter}: ${JSON.stringify(outcome)}`)
        expect(outcome?.problems).toEqual([])
        expect(outcome?.requests).toBeGreaterThan(50)
      },
      60_000,
    )
  },
)
