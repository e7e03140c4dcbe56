import { expect, onTestFinished, test } from 'vitest'
import { Cluster } from '../drill/cluster.ts'
import { isError, none } from '../drill/outcome.ts'
import { Traffic } from '../drill/traffic.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'

const LOAD = { visitors: 30, perSecond: 60 }
const DEADLINE_MS = 1_000
const OLD = ['old-1', 'old-2', 'old-3']

interface Row {
  readonly id: string
  readonly state: string
  readonly inFlight: number
}

async function rowsOf(gateway: GatewayProcess): Promise<readonly Row[]> {
  const { text } = await gateway.admin('GET', '/stats.json')
  return (JSON.parse(text) as { pools: { web: { backends: Row[] } } }).pools.web.backends
}

test.each(['fastify', 'express', 'koa'])(
  'a rolling deploy of the pods behind %s: no error, and no cart is lost before its pod has drained',
  async adapter => {
    const cluster = await Cluster.start(...OLD)
    onTestFinished(() => cluster.close())
    const discovery = {
      kubernetes: { service: 'shop', kubeconfig: cluster.api.kubeconfig, drainDeadline: `${DEADLINE_MS}ms` },
    }
    const file = fileOf([], { adapter, log: { access: false } }, { discovery, waitForBackend: '10s' })
    const gateway = await GatewayProcess.start(file)
    const traffic = new Traffic(gateway.port, LOAD)
    onTestFinished(() => traffic.stop())
    await expect
      .poll(() => traffic.visitors.every(({ visits }) => visits.length > 4), { timeout: 20_000 })
      .toBe(true)
    for (const name of OLD) {
      await cluster.create(name.replace('old', 'new'))
      // A sleep that is long enough: the deadline of the drain is over, and what was in flight has ended.
      const isDrained = async (): Promise<boolean> =>
        (await rowsOf(gateway)).some(
          ({ id, state, inFlight }) => id === name && state === 'maint' && inFlight === 0,
        )
      await cluster.delete(name, async () =>
        expect.poll(isDrained, { interval: 20, timeout: 20_000 }).toBe(true),
      )
      await expect.poll(async () => (await rowsOf(gateway)).map(({ id }) => id)).not.toContain(name)
    }
    await expect.poll(() => traffic.visitors.filter(({ home }) => home?.startsWith('old'))).toEqual([])
    await traffic.stop()

    const moves = traffic.visitors.flatMap(visitor => visitor.moves)
    const early = moves.filter(({ from, atMs }) => {
      const end = cluster.ends.get(from)
      // Of the deadline only the begin is known: when the API server told it.
      return end === undefined || atMs < end.deletedMs + DEADLINE_MS
    })
    console.log(`${adapter}: ${traffic.visits.length} requests, ${moves.length} sessions moved`)
    expect([
      none(traffic.visits.filter(isError), 'errors'),
      none(early, 'moves before the drain was over'),
      none(
        traffic.visitors.filter(({ lost }) => lost > 0),
        'carts that were lost at home',
      ),
    ]).toEqual([false, false, false])
    expect(moves.length).toBeGreaterThanOrEqual(LOAD.visitors)
    expect(gateway.log.filter(({ event }) => event === 'discovery_failed')).toEqual([])
  },
  60_000,
)
