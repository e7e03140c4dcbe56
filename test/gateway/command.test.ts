import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { ADAPTERS, fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { sendRaw } from '../support/raw-client.ts'
import { echo, echoWith } from '../support/scripts.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { answerUpgrade, webSocketServer } from '../support/upgrade-scripts.ts'
import { expectOperators, FORGED, OPERATOR } from './operator-requests.ts'

const NOMINATED = 'X-Gateway-Auth, X-Forwarded-Prefix'

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
          responseHeaders: {
            set: { 'Strict-Transport-Security': 'max-age=31536000', 'X-Served-By': '${pool}/${backend}' },
            remove: ['Server'],
          },
          serverTiming: true,
        },
      ),
      args,
    )
    const answer = await gateway.ask({ headers: { 'X-Debug': '1', 'x-tenant': 'red', 'X-Other': 'kept' } })
    expect([
      answer.header('strict-transport-security'),
      answer.header('server'),
      answer.header('x-a'),
      answer.header('x-served-by'),
    ]).toEqual(['max-age=31536000', undefined, '1', 'web/w1'])
    expect(answer.header('server-timing')).toMatch(/^limpet;desc="none";dur=[\d.]+$/)
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
