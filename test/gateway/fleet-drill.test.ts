import { describe, expect, test } from 'vitest'
import { Fleet } from '../drill/fleet.ts'
import { FLEETS } from '../drill/fleet-drills.ts'
import { runFleetDrills } from '../drill/fleet-run.ts'
import { hasNoRedis } from '../support/redis-server.ts'

/**
 * Several gateways or workers that share learned sessions, with few of them; `npm run drill` has all of them. A look-up
 * has more time than by default, for a test machine may be busy.
 */
const LOAD = { visitors: 20, perSecond: 30, silenceMs: 7_000 }
const DEADLINE = '5s'
/** Two show all that three do, and each process takes a second of CPU time to start. */
const [MAX_GATEWAYS, MAX_WORKERS, SHOPS] = [2, 3, 4]

// At the same time: most of a drill is waiting.
describe.concurrent.each(FLEETS)('at $name', { timeout: 300_000 }, ({ size, drills }) => {
  test.skipIf(size.hasRedis && hasNoRedis)(
    'sessions without cookies are lost with their backend alone',
    async ({ onTestFinished }) => {
      const [gateways, workers] = [Math.min(size.gateways, MAX_GATEWAYS), Math.min(size.workers, MAX_WORKERS)]
      const fleet = await Fleet.start({ ...size, gateways, workers, shops: SHOPS }, DEADLINE)
      onTestFinished(async () => fleet.stop())
      const shown: string[] = []
      for await (const outcome of runFleetDrills(fleet, drills, LOAD)) {
        console.log(JSON.stringify(outcome))
        expect(outcome.problems).toEqual([])
        expect(outcome.requests).toBeGreaterThan(50)
        shown.push(outcome.drill)
      }
      expect(shown).toEqual(drills.map(({ name }) => name))
    },
  )
})
