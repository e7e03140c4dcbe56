import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { takenPort } from '../support/free-port.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { askHttp2, connectHttp2 } from '../support/http2-client.ts'
import { echo } from '../support/scripts.ts'
import { expectOperators, FORGED, OPERATOR } from './operator-requests.ts'

/** The `limpet` command, from its file to its end, on each adapter. */

const TLS = fileURLToPath(new URL('../support/tls/', import.meta.url))

describe('limpet', () => {
  test('speaks HTTP/2 where it is told to, and ends it in good order', async () => {
    const backends = await startBackends('w1', 'w2')
    const tls = { cert: join(TLS, 'certificate.pem'), key: join(TLS, 'key.pem') }
    const gateway = await GatewayProcess.start(
      fileOf(backends, { listen: { port: 0, http2: true, tls }, routes: [{ path: '/shop', pool: 'web' }] }),
    )
    const session = await connectHttp2(gateway.port)
    const first = await askHttp2(session, { ':path': '/shop' })
    const [line = ''] = first.fields['set-cookie'] ?? []
    expect([first.status, line]).toEqual([200, expect.stringContaining('; Secure')])
    const cookie = line.split(';')[0] ?? ''
    for (let visit = 0; visit < 3; visit += 1)
      expect((await askHttp2(session, { ':path': '/shop', cookie })).echo.id).toBe(first.echo.id)
    expect((await askHttp2(session, { ':path': '/' })).status).toBe(404)
    expect(await gateway.logged('request')).toMatchObject({ status: 200, path: '/shop', end: 'complete' })
    // An idle connection is ended, and one that is in use has its time.
    const finish: (() => void)[] = []
    for (const backend of backends) backend.script = exchange => void finish.push(() => void echo(exchange))
    const other = await connectHttp2(gateway.port)
    const asking = askHttp2(other, { ':path': '/shop' })
    await expect.poll(() => finish.length).toBe(1)
    gateway.signal('SIGTERM')
    await once(session, 'close')
    for (const each of finish) each()
    expect((await asking).status).toBe(200)
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })

  test('edits header fields of HTTP/2 [C2]', async () => {
    const w1 = await startBackend('w1')
    const tls = { cert: join(TLS, 'certificate.pem'), key: join(TLS, 'key.pem') }
    const gateway = await GatewayProcess.start(
      fileOf([w1], { listen: { port: 0, http2: true, tls } }, OPERATOR),
    )
    const session = await connectHttp2(gateway.port)
    for (let visit = 0; visit < 2; visit += 1) {
      expect((await askHttp2(session, FORGED)).status).toBe(200)
      expectOperators(w1.last.lines)
    }
    expect(await gateway.logged('request', 2)).toMatchObject({ status: 200, backend: 'w1', attempts: 1 })
  })

  test('does not wait longer than its grace for HTTP/2 either', async () => {
    const w1 = await startBackend('w1', () => {})
    const tls = { cert: join(TLS, 'certificate.pem'), key: join(TLS, 'key.pem') }
    const gateway = await GatewayProcess.start(
      fileOf([w1], { listen: { port: 0, http2: true, tls }, shutdownGrace: '200ms' }),
    )
    const session = await connectHttp2(gateway.port)
    askHttp2(session).catch(() => undefined)
    await w1.arrival(1)
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })

  test('says which of the files for TLS it cannot read', async () => {
    const gateway = GatewayProcess.spawn({
      listen: { port: 0, http2: true, tls: { cert: 'no', key: 'no' } },
      pools: { web: { backends: [] } },
    })
    const { code, error } = await gateway.exited
    expect([code, error.match(/listen\.tls\.\w+ the file .* cannot be read/g)?.length]).toEqual([1, 2])
  })

  test('does not start when its port is taken, and leaves nothing running', async () => {
    const w1 = await startBackend('w1')
    const port = await takenPort()
    for (const more of [{ listen: `127.0.0.1:${port}` }, { admin: { listen: `127.0.0.1:${port}` } }]) {
      const gateway = GatewayProcess.spawn(fileOf([w1], more))
      expect(await gateway.exited).toMatchObject({ code: 1 })
      expect(gateway.log.at(-1)).toMatchObject({ event: 'not_started', code: 'EADDRINUSE' })
    }
  })

  test('with a file that is wrong ends with 1 and says what is wrong', async () => {
    const { code, error } = await GatewayProcess.spawn({ pool: {} }).exited
    expect([code, error.split('\n').slice(1, 3)]).toEqual([
      1,
      [
        expect.stringMatching(/^ {2}pool is not known \(did you mean pools\?\)/),
        '  pools is missing; it takes an object with pools by name',
      ],
    ])
  })

  test('holds less than 140 MB with a thousand backends in twenty pools, and reloads them', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `pool${index}`)
    const pools = names.map(name => {
      const backends = Array.from({ length: 50 }, (_, index) => ({
        id: `b${index}`,
        url: `http://127.0.0.1:${index + 1}`,
      }))
      return [name, { backends, affinity: [{ cookie: { name } }] }]
    })
    const gateway = await GatewayProcess.start({
      ...fileOf([]),
      routes: names.map(pool => ({ path: `/${pool}/`, pool })),
      pools: Object.fromEntries(pools) as object,
    })
    expect(gateway.rss).toBeLessThan(140 * 1024 * 1024)
    gateway.signal('SIGHUP')
    const reloaded = await gateway.logged('reloaded')
    expect(reloaded).toMatchObject({ changed: [] })
  })
})
