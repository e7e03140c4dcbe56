import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { freePort } from '../support/free-port.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'

/** The channel between a worker and its parent, when it is flooded or breaks. */

const MESSAGES = 50_000

/** Code that a worker runs at SIGUSR2. */
function atSignal(statement: string): NodeJS.ProcessEnv {
  const code = `
    import cluster from 'node:cluster'
    if (cluster.isWorker) process.on('SIGUSR2', () => { ${statement} })`
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` }
}

const FLOOD = `for (let count = 0; count < ${MESSAGES}; count += 1)
  process.send({ loads: [{ pool: 'web', id: 'w1', inFlight: count % 2 }] })`

async function startWorkers(statement: string): Promise<GatewayProcess> {
  const w1 = await startBackend('w1')
  const more = { workers: 2, listen: `127.0.0.1:${await freePort()}` }
  const pool = { affinity: [{ learn: { header: 'X-Session' } }], maxInFlight: 100, health: {} }
  return GatewayProcess.start(fileOf([w1], more, pool), [], atSignal(statement))
}

/** Each worker and the parent respond. */
async function expectService(gateway: GatewayProcess): Promise<void> {
  const asked = Array.from({ length: 8 }, async () => (await gateway.ask()).status)
  expect(new Set(await Promise.all(asked))).toEqual(new Set([200]))
  expect((await gateway.admin('GET', '/stats.json')).status).toBe(200)
  expect(gateway.log.filter(({ event }) => event === 'uncaught')).toEqual([])
}

// Each process takes its time to start.
describe('a worker', { timeout: 60_000 }, () => {
  test('whose channel is closed ends, and is replaced', async () => {
    const gateway = await startWorkers('process.disconnect()')
    for (const [index, worker] of gateway.workers.entries()) {
      process.kill(worker, 'SIGUSR2')
      await gateway.logged('worker_started', index + 1)
    }
    await expectService(gateway)
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })

  test('that floods its channel stops neither its parent nor the other workers', async () => {
    const gateway = await startWorkers(FLOOD)
    for (const worker of gateway.workers) process.kill(worker, 'SIGUSR2')
    await expectService(gateway)
    expect(gateway.log.filter(({ event }) => event === 'worker_exited')).toEqual([])
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })

  test('that is killed in the middle of its messages is replaced', async () => {
    const gateway = await startWorkers(FLOOD)
    for (const [index, worker] of gateway.workers.entries()) {
      process.kill(worker, 'SIGUSR2')
      process.kill(worker, 'SIGKILL')
      await gateway.logged('worker_started', index + 1)
    }
    await expectService(gateway)
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })
})
