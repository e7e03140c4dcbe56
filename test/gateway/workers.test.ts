import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { freePort } from '../support/free-port.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'

/** Worker processes that die at the worst moments. */

const WORKERS = 2
const ROUNDS = 2
/** Each worker accepts connections itself, so a stopped one has none. */
const ACCEPTING = { NODE_CLUSTER_SCHED_POLICY: 'none' }

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

  test('leave no request waiting at one that is stopped and killed, where each accepts connections itself', async () => {
    const w1 = await startBackend('w1')
    const gateway = await GatewayProcess.start(fileOf([w1], { workers: WORKERS }), [], ACCEPTING)
    const [stopped = 0] = gateway.workers
    process.kill(stopped, 'SIGSTOP')
    const ask = async (): Promise<readonly number[]> =>
      Promise.all(Array.from({ length: 8 }, async () => (await gateway.ask()).status))
    expect(new Set(await ask())).toEqual(new Set([200]))
    process.kill(stopped, 'SIGKILL')
    expect(new Set(await ask())).toEqual(new Set([200]))
  })

  test('give their first requests to different backends', async () => {
    const backends = [await startBackend('w1'), await startBackend('w2')]
    const gateway = await GatewayProcess.start(fileOf(backends, { workers: WORKERS }), [], ACCEPTING)
    const firsts: string[] = []
    for (const stopped of gateway.workers) {
      process.kill(stopped, 'SIGSTOP')
      firsts.push((await gateway.ask()).echo.id)
      process.kill(stopped, 'SIGCONT')
    }
    expect(firsts.toSorted()).toEqual(['w1', 'w2'])
  })

  test.each([0, 1])(
    'know a command that came while worker %i was stopped, after all have died',
    async index => {
      const backends = [await startBackend('w1'), await startBackend('w2')]
      const listen = `127.0.0.1:${await freePort()}`
      const gateway = await GatewayProcess.start(fileOf(backends, { workers: WORKERS, listen }))
      process.kill(gateway.workers[index] ?? 0, 'SIGSTOP')
      const told = await gateway.admin('PATCH', '/pools/web/backends/w1', { state: 'maint' })
      expect(told.status).toBe(200)
      expect(await gateway.logged('worker_silent')).toMatchObject({ order: 'operate' })
      for (const worker of gateway.workers) process.kill(worker, 'SIGKILL')
      await gateway.logged('worker_started', WORKERS)
      for (let count = 0; count < 4; count += 1) expect((await gateway.ask()).echo.id).toBe('w2')
    },
  )

  test('follow a command that came while one was stopped, when it goes on', async () => {
    const backends = [await startBackend('w1'), await startBackend('w2')]
    const gateway = await GatewayProcess.start(fileOf(backends, { workers: WORKERS }))
    const [stopped = 0] = gateway.workers
    process.kill(stopped, 'SIGSTOP')
    const told = await gateway.admin('PATCH', '/pools/web/backends/w1', { state: 'maint' })
    expect([told.status, JSON.parse(told.text)]).toMatchObject([200, { id: 'w1', state: 'maint' }])
    process.kill(stopped, 'SIGCONT')
    // Each worker adds its figures, so it has read its channel.
    expect((await gateway.admin('GET', '/stats.json')).status).toBe(200)
    for (let count = 0; count < 2 * WORKERS; count += 1) expect((await gateway.ask()).echo.id).toBe('w2')
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
    await expect.poll(health, { interval: 20 }).toEqual([200, { status: 'ok' }])
  })

  test('replace workers that have all died, without an admin port that keeps the parent running', async () => {
    const w1 = await startBackend('w1')
    const listen = `127.0.0.1:${await freePort()}`
    const gateway = await GatewayProcess.start(fileOf([w1], { workers: WORKERS, listen, admin: undefined }))
    for (const worker of gateway.workers) process.kill(worker, 'SIGKILL')
    await gateway.logged('worker_started', WORKERS)
    expect((await gateway.ask()).status).toBe(200)
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })

  test('give a reload to a worker that becomes ready while it is applied', async () => {
    const [w1, w2] = [await startBackend('w1'), await startBackend('w2')]
    const more = { workers: 2, listen: `127.0.0.1:${await freePort()}` }
    const gateway = await GatewayProcess.start(fileOf([w1], more))
    const reloads = (): string[] =>
      gateway.log.map(({ event }) => event).filter(event => event === 'reloaded' || event === 'reload_failed')
    const ended = async (count: number): Promise<void> => {
      await expect.poll(() => reloads().length).toBe(count)
    }
    // On a busy machine the successor may take longer to start than a reload waits for a stopped worker.
    for (let round = 1; reloads().at(-1) !== 'reloaded'; round += 1) {
      gateway.killWorker()
      await gateway.logged('worker_exited', round)
      const [survivor = 0] = gateway.workers
      // The reload lasts until this worker runs again.
      process.kill(survivor, 'SIGSTOP')
      gateway.write(fileOf([w2], more))
      gateway.signal('SIGHUP')
      // The stopped worker has at most one of the two connections, so its successor listens when one is served.
      const asked = [gateway.ask(), gateway.ask()]
      await Promise.race([Promise.any(asked), ended(round)])
      process.kill(survivor, 'SIGCONT')
      await ended(round)
      await gateway.logged('worker_started', round)
      await Promise.all(asked)
    }
    const served = await Promise.all(Array.from({ length: 8 }, async () => (await gateway.ask()).echo.id))
    expect(new Set(served)).toEqual(new Set(['w2']))
  })

  test('end while a worker is being replaced', async () => {
    const w1 = await startBackend('w1')
    const gateway = await GatewayProcess.start(fileOf([w1], { workers: 2 }))
    const before = gateway.workers
    gateway.killWorker()
    // The successor is a process by now, and does not listen yet.
    const isStarting = (): boolean => gateway.workers.some(worker => !before.includes(worker))
    await expect.poll(isStarting, { interval: 1 }).toBe(true)
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('end by %s while they are starting', async signal => {
    const w1 = await startBackend('w1')
    const gateway = GatewayProcess.spawn(fileOf([w1], { workers: WORKERS }))
    await expect.poll(() => gateway.workers.length, { interval: 1 }).toBe(WORKERS)
    const { workers } = gateway
    gateway.signal(signal)
    expect(await gateway.exited).toEqual({ code: 0, error: '' })
    expect(workers.filter(isAlive)).toEqual([])
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

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
