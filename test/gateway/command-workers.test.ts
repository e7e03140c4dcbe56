import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { ADAPTERS, fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { JSON_TYPE } from './operator-requests.ts'

describe.each(ADAPTERS)('limpet with workers, --adapter %s', adapter => {
  const args = ['--adapter', adapter]

  test('brings sessions home whichever worker answers, and is operated as one', async () => {
    const backends = await startBackends('w1', 'w2', 'w3')
    const gateway = await GatewayProcess.start(fileOf(backends, { workers: 2 }), args)
    const browsers = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const browser = gateway.browser()
        return { browser, home: await browser.visit() }
      }),
    )
    for (const { browser, home } of browsers) expect(await browser.visit()).toBe(home)
    await gateway.logged('request', 16)
    const workers = new Set(
      gateway.log.filter(({ event }) => event === 'request').map(line => line['worker']),
    )
    expect(workers.size).toBe(2)

    const { pools } = JSON.parse((await gateway.admin('GET', '/stats.json')).text)
    expect(pools.web.affinity).toMatchObject({ none: 8, matched: 8 })
    const requests = pools.web.backends.map((row: { requests: number }) => row.requests)
    expect(requests.reduce((sum: number, count: number) => sum + count, 0)).toBe(16)

    expect((await gateway.admin('PATCH', '/pools/web/backends/w1', { state: 'maint' })).status).toBe(200)
    const homes = await Promise.all(Array.from({ length: 12 }, async () => gateway.browser().visit()))
    expect(new Set(homes)).toEqual(new Set(['w2', 'w3']))
    expect((await gateway.admin('PATCH', '/pools/web/backends/w9', { state: 'maint' })).status).toBe(404)
  })

  test('mends what dies, which then knows what was commanded, and ends as one', async () => {
    const backends = await startBackends('w1', 'w2')
    const gateway = await GatewayProcess.start(fileOf(backends, { workers: 2 }), args)
    await gateway.admin('PATCH', '/pools/web/backends/w1', { state: 'drain' })
    // A completed command leaves nothing for a later worker.
    const w9 = { id: 'w9', url: 'http://127.0.0.1:1' }
    expect((await gateway.admin('POST', '/pools/web/backends', w9)).status).toBe(201)
    expect((await gateway.admin('DELETE', '/pools/web/backends/w9', undefined, JSON_TYPE)).status).toBe(204)
    // The others go on with the file that was read, and so does who joins them.
    gateway.write('pools: [')
    gateway.signal('SIGHUP')
    await gateway.logged('reload_refused')
    gateway.killWorker()
    expect(await gateway.logged('worker_exited')).toMatchObject({ signal: 'SIGKILL' })
    await gateway.logged('worker_started')
    const homes = await Promise.all(Array.from({ length: 12 }, async () => gateway.browser().visit()))
    expect(new Set(homes)).toEqual(new Set(['w2']))

    // Options that are read at the start alone are not for a later worker, either.
    const w3 = await startBackend('w3')
    gateway.write(fileOf([...backends, w3], { workers: 2, listen: '127.0.0.1:1', adapter: 'no' }))
    gateway.signal('SIGHUP')
    await gateway.logged('reload_refused', 2)
    gateway.write(fileOf([...backends, w3], { workers: 2, listen: '127.0.0.1:1' }))
    gateway.signal('SIGHUP')
    expect(await gateway.logged('reloaded')).toMatchObject({ changed: ['pools.web.backends'] })
    expect(await gateway.logged('restart_needed')).toMatchObject({ changed: ['listen'] })
    gateway.killWorker()
    await gateway.logged('worker_started', 2)
    const next = await Promise.all(Array.from({ length: 12 }, async () => gateway.browser().visit()))
    expect(new Set(next)).toEqual(new Set(['w2', 'w3']))
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })
})
