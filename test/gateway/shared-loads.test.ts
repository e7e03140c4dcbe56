import { describe, expect, test } from 'vitest'
import { type Backend, startBackends } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { openRaw } from '../support/raw-client.ts'
import { echo } from '../support/scripts.ts'

/** Requests in flight that the workers of one gateway count together. */

const REQUESTS = 12

/** A backend that responds to requests of `/hold` when it is told to. */
class HoldingBackend {
  readonly #held: (() => void)[] = []

  constructor(backend: Backend) {
    backend.script = async exchange => {
      if (exchange.request.url === '/hold')
        await new Promise<void>(resolve => {
          this.#held.push(resolve)
        })
      await echo(exchange)
    }
  }

  get held(): number {
    return this.#held.length
  }

  release(): void {
    for (const respond of this.#held.splice(0)) respond()
  }
}

/** The statuses and backends of requests on connections of their own, so to all workers. */
async function outcomes(gateway: GatewayProcess): Promise<readonly string[]> {
  const seen = new Set<string>()
  for (let count = 0; count < REQUESTS; count += 1) {
    const response = await gateway.ask()
    seen.add(response.status === 200 ? response.echo.id : String(response.status))
  }
  return [...seen].toSorted()
}

// Each process takes its time to start.
describe('the requests in flight of several workers', { timeout: 60_000 }, () => {
  test('count towards one maxInFlight', async () => {
    const [w1] = await startBackends('w1')
    const holding = new HoldingBackend(w1)
    const pool = { maxInFlight: 2, whenFull: 'reject' }
    const gateway = await GatewayProcess.start(fileOf([w1], { workers: 2 }, pool))
    const held = [gateway.ask({ path: '/hold' }), gateway.ask({ path: '/hold' })]
    await expect.poll(() => holding.held, { timeout: 10_000 }).toBe(2)
    await expect.poll(async () => outcomes(gateway), { timeout: 20_000 }).toEqual(['503'])
    holding.release()
    for (const response of await Promise.all(held)) expect(response.status).toBe(200)
    await expect.poll(async () => outcomes(gateway), { timeout: 20_000 }).toEqual(['w1'])
  })

  test('give a waiting request its turn, whichever worker has made room', async () => {
    const [w1] = await startBackends('w1')
    const holding = new HoldingBackend(w1)
    const pool = { maxInFlight: 1, whenFull: 'wait', queueTimeout: '30s' }
    const gateway = await GatewayProcess.start(fileOf([w1], { workers: 2 }, pool))
    const held = gateway.ask({ path: '/hold' })
    await expect.poll(() => holding.held, { timeout: 10_000 }).toBe(1)
    const waiting = Array.from({ length: 6 }, async () => gateway.ask())
    await expect
      .poll(
        async () => JSON.parse((await gateway.admin('GET', '/stats.json')).text).pools.web.queued as number,
        { timeout: 20_000 },
      )
      .toBeGreaterThanOrEqual(3)
    holding.release()
    for (const response of await Promise.all([held, ...waiting])) expect(response.status).toBe(200)
  })

  test('are compared by least-requests, and end with their worker', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const all = [new HoldingBackend(w1), new HoldingBackend(w2)]
    const pool = { balance: 'least-requests' }
    const gateway = await GatewayProcess.start(fileOf([w1, w2], { workers: 2 }, pool))
    const cookie = (await gateway.ask()).header('Set-Cookie')?.split(';')[0] ?? ''
    // Requests of one session on one connection, so at one worker and one backend: more than the others ever have.
    const holder = await openRaw(gateway.port)
    holder.write(`GET /hold HTTP/1.1\r\nHost: a.test\r\nCookie: ${cookie}\r\n\r\n`.repeat(4))
    await expect.poll(() => all.map(one => one.held).includes(4), { timeout: 10_000 }).toBe(true)
    const idle = all[0]?.held === 0 ? 'w1' : 'w2'
    await expect.poll(async () => outcomes(gateway), { timeout: 20_000 }).toEqual([idle])
    for (const [index, worker] of gateway.workers.entries()) {
      process.kill(worker, 'SIGKILL')
      await gateway.logged('worker_started', index + 1)
    }
    await expect.poll(async () => outcomes(gateway), { timeout: 20_000 }).toEqual(['w1', 'w2'])
  })
})
