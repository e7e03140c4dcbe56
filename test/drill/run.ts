import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { BackendProcess } from '../support/shop-process.ts'
import { starvedMs } from '../support/starved.ts'
import type { StartGateway } from './drilled-gateway.ts'
import type { Drill, Scene } from './drills.ts'
import { type Outcome, outcomeOf } from './outcome.ts'
import { type Load, Traffic } from './traffic.ts'

/** Time in which every visitor gets a backend, and something into the cart. */
const FILL_MS = 2_500
/** A request goes through a visitor, a gateway and a shop: three processes that may stand still one after the other. */
const STALLS = 3

/**
 * One drill on one gateway, with shops of its own.
 * @returns undefined when the gateway has no means for it
 */
export async function runDrill(drill: Drill, start: StartGateway, load: Load): Promise<Outcome | undefined> {
  const shops: Scene['shops'] = [new BackendProcess('w1'), new BackendProcess('w2'), new BackendProcess('w3')]
  const stalls = monitorEventLoopDelay()
  stalls.enable()
  let stop: (() => Promise<unknown>) | undefined
  try {
    await Promise.all(shops.map(async shop => shop.listening))
    const gateway = await start(shops)
    const traffic = new Traffic(gateway.port, load)
    stop = async () => Promise.all([traffic.stop(), gateway.stop()])
    await delay(FILL_MS)
    while (traffic.visitors.some(({ home }) => home === undefined)) await delay(50)
    const begunMs = Date.now()
    const starved = (): number => starvedMs() + starvedMs(gateway.pid)
    const [starvedBefore, gatewayBefore] = [starved(), starvedMs(gateway.pid)]
    const judged = await drill.run({
      gateway,
      shops,
      traffic,
      begunMs,
      stalledMs: () => (STALLS * stalls.max) / 1e6 + starved() - starvedBefore,
      gatewayStarvedMs: () => starvedMs(gateway.pid) - gatewayBefore,
    })
    await traffic.stop()
    return judged && outcomeOf(traffic, begunMs, judged)
  } finally {
    stalls.disable()
    await stop?.()
    await Promise.all(shops.map(async shop => shop.kill()))
  }
}
