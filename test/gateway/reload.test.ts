import { copyFileSync } from 'node:fs'
import { connect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { CertificateFiles } from '../support/certificate-files.ts'
import { ADAPTERS, fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { reload, rowsOf } from '../support/gateway-reload.ts'
import { openRaw } from '../support/raw-client.ts'
import { echo } from '../support/scripts.ts'

/** The effect of SIGHUP on the `limpet` command while it serves. */

const JSON_TYPE = { 'Content-Type': 'application/json' }

describe.each(ADAPTERS)('a reload of limpet --adapter %s', adapter => {
  const args = ['--adapter', adapter]

  test('changes the backends that differ, and nothing else', async () => {
    const [w1, w2, w3] = await startBackends('w1', 'w2', 'w3')
    const gateway = await GatewayProcess.start(fileOf([w1, w2]), args)
    const browser = gateway.browser()
    const home = await browser.visit()
    await gateway.admin('PATCH', '/pools/web/backends/w2', { state: 'drain' })
    await gateway.admin('DELETE', '/pools/web/backends/w1', undefined, JSON_TYPE)
    expect(await reload(gateway, fileOf([w1, w2, w3]))).toEqual(['pools.web.backends'])
    // An operator's commands stay.
    expect(await rowsOf(gateway)).toMatchObject([{ id: 'w2', state: 'drain' }, { id: 'w3' }])
    await gateway.admin('POST', '/pools/web/backends', w1.options)
    expect(await browser.visit()).toBe(home)

    gateway.write({ pools: {} })
    gateway.signal('SIGHUP')
    expect(await gateway.logged('reload_refused')).toMatchObject({
      problems: ['pools is empty; it takes one at least'],
    })
    expect(await browser.visit()).toBe(home)
  })

  test('continues the figures of a pool whose options differ', async () => {
    const [w1] = await startBackends('w1')
    const gateway = await GatewayProcess.start(fileOf([w1]), args)
    const browser = gateway.browser()
    await browser.visit()
    await browser.visit()
    expect(await reload(gateway, fileOf([w1], {}, { maxAttempts: 2 }))).toEqual(['pools.web'])
    await browser.visit()
    const { pools } = JSON.parse((await gateway.admin('GET', '/stats.json')).text)
    expect(pools.web).toMatchObject({
      requests: 3,
      affinity: { none: 1, matched: 2 },
      durations: { count: 3 },
    })
    expect(pools.web.backends[0]).toMatchObject({
      requests: 3,
      responses: { '2xx': 3 },
      sessionsStarted: 1,
      responseTimes: { count: 3 },
    })
    expect(pools.web.backends[0].bytesIn).toBeGreaterThan(0)
  })

  test('has the backends in the order of the file, those of an operator behind them', async () => {
    const [w1, w2, w3, w4] = await startBackends('w1', 'w2', 'w3', 'w4')
    const gateway = await GatewayProcess.start(fileOf([w1, w2], {}, { balance: 'first' }), args)
    await gateway.ask()
    await gateway.admin('POST', '/pools/web/backends', w4.options)
    await gateway.admin('PATCH', '/pools/web/backends/w2', { weight: 3, state: 'drain' })
    const lighter = { options: { ...w2.options, weight: 5 } }
    await reload(gateway, fileOf([w3, w1, lighter], {}, { balance: 'first' }))
    expect(await rowsOf(gateway)).toMatchObject([
      { id: 'w3' },
      { id: 'w1', requests: 1 },
      { id: 'w2', weight: 5, state: 'drain' },
      { id: 'w4' },
    ])
    expect(await gateway.browser().visit()).toBe('w3')
    // An option that was removed from the file is back at its default.
    await reload(gateway, fileOf([w3, w1, w2], {}, { balance: 'first' }))
    expect((await rowsOf(gateway))[2]).toMatchObject({ id: 'w2', weight: 1, state: 'drain' })
    // An id that is at another address is another backend, in its place.
    await reload(
      gateway,
      fileOf([w3, { options: { id: 'w1', url: w2.options.url } }], {}, { balance: 'first' }),
    )
    expect(await rowsOf(gateway)).toMatchObject([{ id: 'w3' }, { id: 'w1', requests: 0 }, { id: 'w4' }])
  })

  test('of a pool’s other options lets it go on where it stands', async () => {
    const [w1, w2, w3, w4] = await startBackends('w1', 'w2', 'w3', 'w4')
    const health = { interval: '100ms', timeout: '1s', fall: 2, rise: 1000 }
    const gateway = await GatewayProcess.start(fileOf([w1, w2, w3], {}, { health }), args)
    const browser = gateway.browser()
    await w1.refuse()
    expect(await gateway.logged('health_changed')).toMatchObject({ backend: 'w1', healthy: false })
    await w1.listen()
    await gateway.admin('PATCH', '/pools/web/backends/w2', { weight: 7, state: 'drain' })
    await gateway.admin('DELETE', '/pools/web/backends/w3', undefined, JSON_TYPE)
    await gateway.admin('POST', '/pools/web/backends', w4.options)
    expect(await browser.visit()).toBe('w4')
    const before = await rowsOf(gateway)
    const finish: (() => void)[] = []
    w4.script = exchange => void finish.push(() => void echo(exchange))
    const asking = browser.ask()
    await w4.arrival(w4.seen.length + 1)

    const file = fileOf([w1, w2, w3], {}, { health, maxAttempts: 2 })
    expect(await reload(gateway, file)).toEqual(['pools.web'])
    expect(await rowsOf(gateway)).toEqual([
      expect.objectContaining({ id: 'w1', healthy: false }),
      expect.objectContaining({ id: 'w2', state: 'drain', weight: 7 }),
      expect.objectContaining({ id: 'w4', requests: Number(before[2]?.requests) + 1 }),
    ])
    for (const each of finish) each()
    expect((await asking).status).toBe(200)
    w4.script = echo
    expect(await browser.visit()).toBe('w4')
    expect(gateway.log.filter(({ event }) => event === 'health_changed')).toHaveLength(1)

    // Without checks no backend is known to be down.
    await reload(gateway, fileOf([w1, w2, w3]))
    expect((await rowsOf(gateway))[0]).toMatchObject({ id: 'w1', healthy: true })
  })
})

describe('a reload of limpet', () => {
  test('takes the certificate that is there now', async () => {
    const certificate = new CertificateFiles('app.internal')
    const { cert, key } = certificate
    const w1 = await startBackend('w1')
    for (const http2 of [false, true]) {
      certificate.put('app.internal')
      const file = fileOf([w1], { listen: { port: 0, tls: { cert, key }, http2 } })
      const gateway = await GatewayProcess.start(file)
      expect(await subjectOf(gateway.port)).toBe('app.internal')
      certificate.put('renewed.internal')
      expect(await reload(gateway, file)).toEqual(['listen.tls'])
      expect(await subjectOf(gateway.port)).toBe('renewed.internal')
      copyFileSync(cert, key)
      gateway.signal('SIGHUP')
      expect(await gateway.logged('reload_refused')).toMatchObject({
        problems: [expect.stringMatching(/^listen\.tls takes a certificate and its key, as PEM \(/)],
      })
      expect(await subjectOf(gateway.port)).toBe('renewed.internal')
    }
  })

  test('takes other limits, and tells what needs a restart', async () => {
    const w1 = await startBackend('w1')
    const gateway = await GatewayProcess.start(fileOf([w1]))
    const limits = { headers: '8KiB', headersTimeout: '200ms' }
    expect(await reload(gateway, fileOf([w1], { limits, adapter: 'koa', log: { sample: 0.5 } }))).toEqual([
      'limits',
    ])
    expect(await gateway.logged('restart_needed')).toMatchObject({
      changed: ['adapter', 'limits.headers', 'log'],
    })
    const slow = await openRaw(gateway.port)
    slow.write('GET / HTTP/1.1\r\nHost: a\r\n')
    await slow.until(() => false, 5_000)
    expect(slow.received).toContain('408')
  })
})

async function subjectOf(port: number): Promise<string | undefined> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  return new Promise((resolve, reject) => {
    socket.once('error', reject).once('secureConnect', () => {
      const { CN } = socket.getPeerCertificate().subject
      socket.destroy()
      resolve(Array.isArray(CN) ? CN[0] : CN)
    })
  })
}
