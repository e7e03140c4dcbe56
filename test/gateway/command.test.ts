import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { takenPort } from '../support/free-port.ts'
import { ADAPTERS, fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { type HeaderLines, valuesOf } from '../support/header-lines.ts'
import type { BackendResponse } from '../support/http-client.ts'
import { askHttp2, connectHttp2 } from '../support/http2-client.ts'
import { sendRaw } from '../support/raw-client.ts'
import { echo, echoWith } from '../support/scripts.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { answerUpgrade, webSocketServer } from '../support/upgrade-scripts.ts'

/** The `limpet` command, from its file to its end, on each adapter. */

const TLS = fileURLToPath(new URL('../support/tls/', import.meta.url))
const JSON_TYPE = { 'Content-Type': 'application/json' }

/** Header edits that set and remove fields, and a client that sends its own. */
const OPERATOR = {
  requestHeaders: {
    set: { 'X-Gateway-Auth': 'yes', 'X-Forwarded-Prefix': '/shop', Host: 'set.example' },
    remove: ['X-Debug'],
  },
}
const FORGED = { 'x-gateway-auth': 'yes', 'x-forwarded-prefix': '/evil', 'x-debug': '1', 'x-a': '1' }
const NOMINATED = 'X-Gateway-Auth, X-Forwarded-Prefix'

function expectOperators(lines: HeaderLines): void {
  const fields = ['x-gateway-auth', 'x-forwarded-prefix', 'host', 'x-debug', 'x-a']
  expect(fields.map(name => valuesOf(lines, name))).toEqual([['yes'], ['/shop'], ['set.example'], [], ['1']])
}

describe.each(ADAPTERS)('limpet --adapter %s', adapter => {
  const args = ['--adapter', adapter]
  const { web, raw } = upgradeClients()

  test('brings sessions home, also after it was killed and started again', async () => {
    const backends = await startBackends('w1', 'w2', 'w3')
    const gateway = await GatewayProcess.start(fileOf(backends), args)
    const browser = gateway.browser()
    const home = await browser.visit()
    for (let visit = 0; visit < 4; visit += 1) expect(await browser.visit()).toBe(home)
    gateway.signal('SIGKILL')
    await gateway.exited
    const again = await GatewayProcess.start(fileOf(backends), args)
    const answer = await again.ask({ headers: { Cookie: browser.cookieHeader } })
    expect([answer.echo.id, answer.cookies()]).toEqual([home, []])
  })

  test('gives each pool the requests of its routes, and unmatched requests a 404', async () => {
    const [shop, api, rest] = await startBackends('shop', 'api', 'rest')
    const gateway = await GatewayProcess.start(
      {
        listen: '127.0.0.1:0',
        routes: [
          { path: '/api/', pool: 'api' },
          { host: 'shop.example', pool: 'shop' },
          { path: '/rest', pool: 'rest' },
        ],
        pools: {
          shop: { backends: [shop.options] },
          api: { backends: [api.options] },
          rest: { backends: [rest.options] },
        },
      },
      args,
    )
    const visit = async (path: string, host = 'a'): Promise<string> => {
      const answer = await gateway.ask({ path, headers: { Host: host } })
      return answer.echo.id
    }
    expect([await visit('/api/x'), await visit('/rest?x'), await visit('/', 'shop.example:80')]).toEqual([
      'api',
      'rest',
      'shop',
    ])
    const unmatched = await gateway.ask({ path: '/' })
    expect([unmatched.status, unmatched.text, unmatched.header('cache-control')]).toEqual([
      404,
      '404 Not Found\n',
      'no-store',
    ])
    expect(api.last.url).toBe('/api/x')
  })

  test('edits header fields, both ways', async () => {
    const w1 = await startBackend('w1', echoWith(200, { Server: 'secret/1.0', 'X-A': '1' }))
    const gateway = await GatewayProcess.start(
      fileOf(
        [w1],
        {},
        {
          requestHeaders: { set: { 'X-Tenant': 'blue' }, remove: ['X-Debug'] },
          responseHeaders: { set: { 'Strict-Transport-Security': 'max-age=31536000' }, remove: ['Server'] },
        },
      ),
      args,
    )
    const answer = await gateway.ask({ headers: { 'X-Debug': '1', 'x-tenant': 'red', 'X-Other': 'kept' } })
    expect([
      answer.header('strict-transport-security'),
      answer.header('server'),
      answer.header('x-a'),
    ]).toEqual(['max-age=31536000', undefined, '1'])
    const fields = w1.last.lines.filter(([name]) => /^x-(?:tenant|debug|other)$/i.test(name))
    expect(fields).toEqual([
      ['X-Other', 'kept'],
      ['X-Tenant', 'blue'],
    ])
  })

  test('edits header fields that a client nominates, and those of handshakes [H1]', async () => {
    const w1 = await startTunnelBackend('w1')
    const gateway = await GatewayProcess.start(fileOf([w1], {}, OPERATOR), args)
    const lines = Object.entries(FORGED).map(([name, value]) => `${name}: ${value}`)
    await sendRaw(
      gateway.port,
      `GET / HTTP/1.1\r\nHost: a\r\nConnection: close, ${NOMINATED}\r\n${lines.join('\r\n')}\r\n\r\n`,
    )
    await raw(gateway.port, handshakeText(...lines).replace(': Upgrade', `: Upgrade, ${NOMINATED}`))
    expectOperators(w1.last.lines)
    expectOperators((await w1.handshake()).lines)
    expect(await gateway.logged('request')).toMatchObject({ status: 200, backend: 'w1', attempts: 1 })
  })

  test('says the same of its own errors, whatever the adapter', async () => {
    const w1 = await startBackend('w1')
    const gateway = await GatewayProcess.start(fileOf([w1], {}, { bodyLimit: 10 }), args)
    const large = await gateway.ask({ method: 'POST', body: 'x'.repeat(11) })
    await w1.refuse()
    const gone = await gateway.ask()
    await gateway.admin('PATCH', '/pools/web/backends/w1', { state: 'maint' })
    const none = await gateway.ask()
    const fields = ['content-type', 'cache-control', 'retry-after', 'set-cookie']
    const said = [large, gone, none].map(answer => [
      answer.status,
      answer.text,
      fields.map(name => answer.header(name)),
    ])
    const plain = 'text/plain; charset=utf-8'
    expect(said).toEqual([
      [413, '413 Payload Too Large\n', [plain, 'no-store', undefined, undefined]],
      [502, '502 Bad Gateway\n', [plain, 'no-store', '1', undefined]],
      [503, '503 Service Unavailable\n', [plain, 'no-store', '1', undefined]],
    ])
  })

  test('tunnels WebSockets, and logs them at their end', async () => {
    const w1 = await startTunnelBackend(
      'w1',
      webSocketServer(socket => socket.on('message', data => socket.send(data))),
    )
    const gateway = await GatewayProcess.start(fileOf([w1]), args)
    const client = await web(gateway.port)
    expect((await client.ask('hello')).toString()).toBe('hello')
    client.socket.close(1000)
    expect(await gateway.logged('request')).toMatchObject({
      status: 101,
      backend: 'w1',
      affinity: 'none',
      attempts: 1,
      end: 'complete',
    })
    const statusOf = async (): Promise<unknown> => {
      const count = gateway.log.filter(({ event }) => event === 'request').length
      await sendRaw(gateway.port, handshakeText())
      const { status, end } = await gateway.logged('request', count + 1)
      return [status, end]
    }
    w1.upgrade = answerUpgrade('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
    expect(await statusOf()).toEqual([403, 'complete'])
    await w1.refuse()
    expect(await statusOf()).toEqual([502, 'complete'])
    await gateway.admin('PATCH', '/pools/web/backends/w1', { state: 'maint' })
    expect(await statusOf()).toEqual([503, 'complete'])
  })

  test('logs each request with what became of it', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const gateway = await GatewayProcess.start(fileOf([w1, w2], { trustProxy: ['127.0.0.1'] }), args)
    const browser = gateway.browser()
    await browser.visit('/first?secret=1')
    await w1.refuse()
    await browser.ask({
      method: 'POST',
      path: '/second',
      headers: { 'X-Forwarded-For': '198.51.100.1, 192.0.2.7' },
      body: 'x'.repeat(10_000),
    })
    expect(await gateway.logged('request', 2)).toMatchObject({
      method: 'POST',
      path: '/second',
      status: 200,
      pool: 'web',
      backend: 'w2',
      affinity: 'matched',
      attempts: 2,
      client: '192.0.2.7',
      end: 'complete',
    })
    const [first, second] = gateway.log.filter(({ event }) => event === 'request')
    expect(first).toMatchObject({
      path: '/first',
      backend: 'w1',
      affinity: 'none',
      attempts: 1,
      client: '127.0.0.1',
    })
    expect(Number(second?.['bytesIn'])).toBeGreaterThan(10_000)
    const times = ['waitMs', 'connectMs', 'headMs', 'totalMs'].map(name => Number(second?.[name]))
    expect(times.toSorted((a, b) => a - b)).toEqual(times)
    expect(JSON.stringify(gateway.log)).not.toContain('secret=1')
  })

  test('shuts down gracefully: finishes requests in flight, closes WebSockets, and takes no new connection', async () => {
    const finish: (() => void)[] = []
    const w1 = await startBackend('w1', exchange => void finish.push(() => void echo(exchange)))
    const w2 = await startTunnelBackend(
      'w2',
      webSocketServer(() => {}),
    )
    const gateway = await GatewayProcess.start(
      {
        ...fileOf([]),
        routes: [{ pool: 'web' }, { path: '/chat', pool: 'chat' }],
        pools: { web: { backends: [w1.options] }, chat: { backends: [w2.options] } },
      },
      args,
    )
    const client = await web(gateway.port)
    const asking = gateway.ask()
    await w1.arrival(1)
    gateway.signal('SIGTERM')
    await gateway.logged('ending')
    expect(await client.closed).toMatchObject({ code: 1001 })
    await expect(gateway.ask()).rejects.toThrow('ECONNREFUSED')
    expect((await gateway.admin('GET', '/healthz')).status).toBe(503)
    for (const each of finish) each()
    const answer = await asking
    expect([answer.status, answer.header('connection')]).toEqual([200, 'close'])
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })

  test('serves new requests during preStop, until it is taken off a list [T-60]', async () => {
    const w1 = await startBackend('w1')
    const gateway = await GatewayProcess.start(fileOf([w1], { preStop: '1500ms' }), args)
    gateway.signal('SIGTERM')
    await gateway.logged('ending')
    expect((await gateway.admin('GET', '/healthz')).status).toBe(503)
    expect((await gateway.ask()).status).toBe(200)
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })

  test('does not wait longer than its grace, and ends at once when it is told twice', async () => {
    const w1 = await startBackend('w1', () => {})
    const impatient = await GatewayProcess.start(fileOf([w1], { shutdownGrace: '100ms' }), args)
    impatient.ask().catch(() => undefined)
    await w1.arrival(1)
    impatient.signal('SIGINT')
    expect(await impatient.exited).toMatchObject({ code: 0 })
    const patient = await GatewayProcess.start(fileOf([w1]), args)
    patient.ask().catch(() => undefined)
    await w1.arrival(2)
    patient.signal('SIGTERM')
    await patient.logged('ending')
    patient.signal('SIGTERM')
    expect(await patient.exited).toMatchObject({ code: 1 })
  })
})

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

const TOKEN = 'a-token-of-the-tests-01'

describe('the admin port', () => {
  test('says no to all that is malformed, and changes nothing [T-80, T-81, T-82]', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const gateway = await GatewayProcess.start(fileOf([w1, w2]))
    const row = '/pools/web/backends/w1'
    const before = (await gateway.admin('GET', '/stats.json')).text
    const asked: readonly [status: number, answer: Promise<BackendResponse>][] = [
      [404, gateway.admin('GET', '/')],
      [404, gateway.admin('GET', '/pools/web')],
      [404, gateway.admin('PATCH', '/pools/none/backends/w1', { state: 'maint' })],
      [404, gateway.admin('PATCH', '/pools/web/backends/w9', { state: 'maint' })],
      [404, gateway.admin('DELETE', '/pools/web/backends/w9', undefined, JSON_TYPE)],
      [404, gateway.admin('PATCH', '/pools/web/backends/w1/', { state: 'maint' })],
      [405, gateway.admin('POST', '/healthz', {})],
      [405, gateway.admin('GET', row)],
      [415, gateway.admin('PATCH', row, '{"state":"maint"}', { 'Content-Type': 'text/plain' })],
      [415, gateway.admin('DELETE', row)],
      [400, gateway.admin('PATCH', row, 'no json')],
      [400, gateway.admin('PATCH', row, '[]')],
      [400, gateway.admin('PATCH', row, 'null')],
      [400, gateway.admin('PATCH', row, {})],
      [400, gateway.admin('PATCH', row, { state: 'down' })],
      [400, gateway.admin('PATCH', row, { weight: 3, state: 'down' })],
      [400, gateway.admin('PATCH', row, { weight: -1 })],
      [400, gateway.admin('PATCH', row, { url: 'http://127.0.0.1:1' })],
      [400, gateway.admin('POST', '/pools/web/backends', { id: 'a b', url: 'http://127.0.0.1:1' })],
      [400, gateway.admin('POST', '/pools/web/backends', { id: 'w3' })],
      [409, gateway.admin('POST', '/pools/web/backends', { id: 'w1', url: 'http://127.0.0.1:1' })],
      [413, gateway.admin('PATCH', row, `"${'x'.repeat(70_000)}"`)],
      [421, gateway.admin('GET', '/stats.json', undefined, { Host: 'evil.example' })],
      [421, gateway.admin('PATCH', row, { state: 'maint' }, { Host: 'localhost.evil.example' })],
      [403, gateway.admin('PATCH', row, { state: 'maint' }, { Origin: 'http://evil.example' })],
      [403, gateway.admin('PATCH', row, { state: 'maint' }, { 'Sec-Fetch-Site': 'cross-site' })],
    ]
    for (const [status, answer] of asked) {
      const { status: got, text } = await answer
      expect([got, Object.keys(JSON.parse(text) as object)]).toEqual([status, ['code', 'message']])
    }
    const after = (await gateway.admin('GET', '/stats.json')).text
    const withoutTime = (text: string): string => text.replaceAll(/"(?:uptimeMs|atMs)":\d+/g, '')
    expect(withoutTime(after)).toBe(withoutTime(before))
  })

  test('adds and removes backends, and asks for its token where it has one [T-83, T-84]', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const gateway = await GatewayProcess.start(
      {
        ...fileOf([w1]),
        admin: { listen: '127.0.0.1:0', token: 'env:LIMPET_TEST_TOKEN' },
      },
      [],
      { LIMPET_TEST_TOKEN: TOKEN },
    )
    const bearer = { Authorization: `Bearer ${TOKEN}` }
    for (const headers of [{}, { Authorization: 'Bearer another' }, { Authorization: `Basic ${TOKEN}` }]) {
      const refused = await gateway.admin('POST', '/pools/web/backends', w2.options, headers)
      expect([refused.status, refused.header('www-authenticate')]).toEqual([401, 'Bearer'])
    }
    expect((await gateway.admin('POST', '/pools/web/backends', w2.options, bearer)).status).toBe(201)
    expect(
      (await gateway.admin('DELETE', '/pools/web/backends/w1', undefined, { ...bearer, ...JSON_TYPE }))
        .status,
    ).toBe(204)
    expect(await gateway.browser().visit()).toBe('w2')
    // A flood on the shop's port does not affect the admin port.
    expect((await gateway.admin('GET', '/healthz')).status).toBe(200)
    expect(await gateway.browser().visit()).toBe('w2')
    await gateway.logged('admin_denied', 3)
  })

  test('carries no proxied traffic, and the proxy answers none of its paths', async () => {
    const w1 = await startBackend('w1')
    const gateway = await GatewayProcess.start(fileOf([w1]))
    expect((await gateway.ask({ path: '/stats.json' })).echo.id).toBe('w1')
    expect((await gateway.admin('GET', '/cart')).status).toBe(404)
    expect(w1.seen).toHaveLength(1)
  })
})

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

  test('ready with a thousand backends in twenty pools within two seconds', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `pool${index}`)
    const pools = names.map(name => {
      const backends = Array.from({ length: 50 }, (_, index) => ({
        id: `b${index}`,
        url: `http://127.0.0.1:${index + 1}`,
      }))
      return [name, { backends, affinity: [{ cookie: { name } }] }]
    })
    const startedMs = performance.now()
    const gateway = await GatewayProcess.start({
      ...fileOf([]),
      routes: names.map(pool => ({ path: `/${pool}/`, pool })),
      pools: Object.fromEntries(pools) as object,
    })
    // Node itself takes a part of it, and a busy machine the rest.
    expect(performance.now() - startedMs).toBeLessThan(4_000)
    expect(gateway.rss).toBeLessThan(150 * 1024 * 1024)
    gateway.signal('SIGHUP')
    const reloaded = await gateway.logged('reloaded')
    expect(reloaded).toMatchObject({ changed: [] })
    expect(Number(reloaded['tookMs'])).toBeLessThan(500)
  })
})
