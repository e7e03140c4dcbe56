import { describe, expect, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { echo } from '../support/scripts.ts'

/** Health checks that the workers of one gateway share. */

/** Counts the checks of a backend, and leaves them without a response when it is told to. */
function checkedBackend(backend: Backend) {
  const state = { checks: 0, isSilent: false }
  backend.script = async exchange => {
    if (exchange.request.url !== '/health') return echo(exchange)
    state.checks += 1
    if (!state.isSilent) return echo(exchange)
    return undefined
  }
  return state
}

/** Another check arrives. */
async function checkedAgain(state: { readonly checks: number }, count = 2): Promise<void> {
  const before = state.checks
  await expect
    .poll(() => state.checks, { interval: 10, timeout: 20_000 })
    .toBeGreaterThanOrEqual(before + count)
}

/** Workers whose log says last that the backend is down. */
function downIn(gateway: GatewayProcess): readonly unknown[] {
  const last = new Map(
    gateway.log.flatMap(line =>
      line.event === 'health_changed' ? [[line['worker'], line['healthy']] as const] : [],
    ),
  )
  return [...last].flatMap(([worker, isHealthy]) => (isHealthy === false ? [worker] : []))
}

// Each process takes its time to start.
describe('the health checks of several workers', { timeout: 90_000 }, () => {
  test('are made by one of them, and all know', async () => {
    const w1 = await startBackend('w1')
    const state = checkedBackend(w1)
    state.isSilent = true
    const health = { path: '/health', interval: '10s', timeout: '2s', fall: 1 }
    const gateway = await GatewayProcess.start(fileOf([w1], { workers: 3 }, { health }))
    await expect.poll(() => downIn(gateway).length, { timeout: 30_000 }).toBe(3)
    expect(state.checks).toBe(1)
  })

  test('go on when the worker that makes them is killed, or stalls', async () => {
    const w1 = await startBackend('w1')
    const state = checkedBackend(w1)
    const health = { path: '/health', interval: '200ms', timeout: '5s', fall: 1, rise: 1 }
    const gateway = await GatewayProcess.start(fileOf([w1], { workers: 2 }, { health }))
    await checkedAgain(state)
    // One of the two has the checks.
    for (const worker of gateway.workers) {
      process.kill(worker, 'SIGSTOP')
      await checkedAgain(state)
      process.kill(worker, 'SIGCONT')
    }
    for (const [index, worker] of gateway.workers.entries()) {
      process.kill(worker, 'SIGKILL')
      await gateway.logged('worker_started', index + 1)
      await checkedAgain(state)
    }
    expect((await gateway.ask()).status).toBe(200)
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })
})
