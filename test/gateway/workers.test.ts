import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { freePort } from '../support/free-port.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'

/** Worker processes that die at the worst moments. */

const WORKERS = 2
const ROUNDS = 3

// Each process takes its time to start.
describe('limpet with workers', { timeout: 60_000 }, () => {
  test('survives workers that are killed while the admin port is scraped', async () => {
    const w1 = await startBackend('w1')
    // Any free port would be another one once all workers have died.
    const listen = `127.0.0.1:${await freePort()}`
    const gateway = await GatewayProcess.start(fileOf([w1], { workers: WORKERS, listen }))
    const statuses = new Set<number>()
    const scraped = new AbortController()
    onTestFinished(() => scraped.abort())
    async function scrape(): Promise<void> {
      while (!scraped.signal.aborted) {
        const { status } = await gateway.admin('GET', '/stats.json')
        statuses.add(status)
      }
    }
    const scraping = Promise.all([scrape(), scrape()])
    scraping.catch(() => undefined)
    for (let round = 1; round <= ROUNDS; round += 1) {
      for (const worker of gateway.workers) process.kill(worker, 'SIGKILL')
      await gateway.logged('worker_started', round * WORKERS)
    }
    scraped.abort()
    await scraping
    expect([...statuses]).toEqual([200])
    expect(gateway.log.filter(({ event }) => event === 'uncaught')).toEqual([])
    expect((await gateway.ask()).status).toBe(200)
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })

  test('are not healthy while no worker is ready', async () => {
    const w1 = await startBackend('w1')
    const gateway = await GatewayProcess.start(fileOf([w1], { workers: 2 }))
    const health = async (): Promise<unknown> => {
      const { status, text } = await gateway.admin('GET', '/healthz')
      return [status, JSON.parse(text)]
    }
    expect(await health()).toEqual([200, { status: 'ok' }])
    for (const worker of gateway.workers) process.kill(worker, 'SIGKILL')
    await expect.poll(health, { interval: 1 }).toEqual([503, { status: 'not_ready' }])
    await expect.poll(health, { interval: 20, timeout: 10_000 }).toEqual([200, { status: 'ok' }])
  })

  test('end while a worker is being replaced', async () => {
    const w1 = await startBackend('w1')
    const gateway = await GatewayProcess.start(fileOf([w1], { workers: 2 }))
    const before = gateway.workers
    gateway.killWorker()
    // The successor is a process by now, and does not listen yet.
    const isStarting = (): boolean => gateway.workers.some(worker => !before.includes(worker))
    await expect.poll(isStarting, { interval: 1, timeout: 10_000 }).toBe(true)
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })

  test('end although a worker does nothing any more', async () => {
    const w1 = await startBackend('w1')
    const gateway = await GatewayProcess.start(fileOf([w1], { workers: 2, shutdownGrace: '100ms' }))
    process.kill(gateway.workers[0] ?? 0, 'SIGSTOP')
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
    expect(gateway.log.at(-1)).toMatchObject({ event: 'ended' })
  })
})
