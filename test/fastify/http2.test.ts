import { once } from 'node:events'
import { connect, type Http2ServerRequest } from 'node:http2'
import { type AffinityPolicy, type Affinity, type AffinityOptions, createAffinity } from '@limpet/core'
import { limpet, type LimpetOptions } from '@limpet/fastify'
import fastify from 'fastify'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { listen, poolOf } from '../support/fastify-app.ts'
import { joinedValue, valuesOf } from '../support/header-lines.ts'
import { askHttp2, connectHttp2 } from '../support/http2-client.ts'
import { echoWith, hang } from '../support/scripts.ts'
import { testCertificate } from '../support/tls.ts'

/** A gateway that speaks HTTP/2, over TLS as browsers do. */
async function start(
  options: AffinityOptions,
  {
    requestHeaders,
    edit,
  }: Pick<LimpetOptions, 'requestHeaders'> & { edit?: (raw: Http2ServerRequest) => void } = {},
): Promise<{ port: number; affinity: Affinity }> {
  const affinity = createAffinity(options)
  const app = fastify({ http2: true, https: testCertificate })
  onTestFinished(() => app.close())
  if (edit !== undefined) app.addHook('onRequest', async ({ raw }) => edit(raw))
  await app.register(limpet, {
    use: affinity,
    bodyLimit: 1_000_000,
    ...(requestHeaders && { requestHeaders }),
  })
  return { port: await listen(app), affinity }
}

describe('a client that speaks HTTP/2', () => {
  test('has its session, by a cookie that is Secure', async () => {
    const { port } = await start(poolOf(...(await startBackends('w1', 'w2'))))
    const session = await connectHttp2(port)
    const first = await askHttp2(session, { ':path': '/a?b' })
    expect([first.status, first.echo.id, first.echo.url]).toEqual([200, 'w1', '/a?b'])
    const [line = ''] = first.fields['set-cookie'] ?? []
    expect(line).toMatch(/^SERVERID=.+; Secure(?:;|$)/)
    for (let visit = 0; visit < 2; visit += 1) {
      const again = await askHttp2(session, { cookie: line.split(';')[0] })
      expect([again.echo.id, again.fields['set-cookie']]).toEqual(['w1', undefined])
    }
  })

  test('may cut its cookies into crumbs: a backend sees one line, without ours [LB002]', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const { port } = await start(poolOf(w1, w2))
    const session = await connectHttp2(port)
    const [line = ''] = (await askHttp2(session)).fields['set-cookie'] ?? []
    const own = line.split(';')[0] ?? ''
    const answer = await askHttp2(session, { cookie: ['a=1', own, 'b=2'] })
    expect(answer.echo.id).toBe('w1')
    expect(valuesOf(w1.last.lines, 'cookie')).toEqual(['a=1; b=2'])
    await askHttp2(session, { cookie: [own] })
    expect(valuesOf(w1.last.lines, 'cookie')).toEqual([])
  })

  test('may go on after a message that was refused: each has its own stream', async () => {
    const { port } = await start(poolOf(await startBackend('w1')))
    const session = await connectHttp2(port)
    expect((await askHttp2(session, { ':path': '/a\\b' })).status).toBe(400)
    expect((await askHttp2(session)).status).toBe(200)
  })

  test('is for a backend what an HTTP/1.1 client is', async () => {
    const w1 = await startBackend('w1')
    const { port } = await start(poolOf(w1))
    await askHttp2(await connectHttp2(port), { 'x-own': '1', ':authority': 'shop.example' })
    const { lines, request } = { lines: w1.last.lines, request: w1.last }
    expect(request.method).toBe('GET')
    expect(lines.filter(([name]) => name.startsWith(':'))).toEqual([])
    expect(valuesOf(lines, 'host')).toEqual(['shop.example'])
    expect(joinedValue(lines, 'x-own')).toBe('1')
    expect(joinedValue(lines, 'x-forwarded-proto')).toBe('https')
  })

  test.each([
    ['with its length', { 'content-length': 200_000 }],
    ['without a length', {}],
  ])('sends a body %s', async (_, fields) => {
    const w1 = await startBackend('w1')
    const { port, affinity } = await start(poolOf(w1))
    const body = ['x'.repeat(150_000), 'x'.repeat(50_000)]
    const answer = await askHttp2(await connectHttp2(port), { ':method': 'POST', ...fields }, body)
    expect(answer.echo).toMatchObject({ method: 'POST', bytes: 200_000 })
    await expect.poll(() => affinity.pool.find('w1')?.inFlight).toBe(0)
  })

  test.each([
    ['that is announced', { 'content-length': 1_000_001 }],
    ['that turns out so', {}],
  ])('is told of a body %s too large', async (_, fields) => {
    const { port } = await start(poolOf(await startBackend('w1')))
    const session = await connectHttp2(port)
    const asked = { ':method': 'POST', ...fields }
    const answer = await askHttp2(session, asked, ['x'.repeat(1_000_000), 'x'])
    expect([answer.status, answer.fields['cache-control']]).toEqual([413, 'no-store'])
    expect((await askHttp2(session)).status, 'the connection lives on').toBe(200)
  })

  test('is what the application and the operator make of it [B2, H1, C2]', async () => {
    const w1 = await startBackend('w1')
    const requestHeaders = { set: { 'X-Tenant': 'blue' }, remove: ['X-Debug'] }
    const edit = (raw: Http2ServerRequest): void => {
      delete raw.headers['x-user-id']
      raw.headers['x-gateway-user'] = 'alice'
      raw.headers.host = 'shop.example'
      raw.headers['content-length'] = '500'
      raw.url = '/new?x'
    }
    const { port } = await start(poolOf(w1), { requestHeaders, edit })
    const session = await connectHttp2(port)
    const fields = {
      ':path': '/old',
      'x-user-id': '1-spoofed',
      'x-tenant': 'red',
      'x-debug': '1',
      'x-a': ['1', '2'],
      cookie: ['a=1', 'b=2'],
    }
    expect((await askHttp2(session, fields)).status).toBe(200)
    expect((await askHttp2(session, { ...fields, ':method': 'POST' }, 'hello')).echo.bytes).toBe(5)
    const { lines, url } = w1.last
    expect(url).toBe('/new?x')
    for (const [name, values] of Object.entries({
      'x-user-id': [],
      'x-gateway-user': ['alice'],
      'x-tenant': ['blue'],
      'x-debug': [],
      'x-a': ['1', '2'],
      cookie: ['a=1; b=2'],
      host: ['shop.example'],
      'x-forwarded-host': ['shop.example'],
      'content-length': [],
    }))
      expect([name, valuesOf(lines, name)]).toEqual([name, values])
  })

  test('gets 500 for an edit that cannot be sent, and goes on [B2]', async () => {
    const w1 = await startBackend('w1')
    let bad: ((raw: Http2ServerRequest) => void) | undefined
    const { port } = await start(poolOf(w1), { edit: raw => bad?.(raw) })
    const session = await connectHttp2(port)
    for (bad of [
      ({ headers }: Http2ServerRequest) => void (headers['x-a'] = 'b\r\nX-Evil: 1'),
      ({ headers }: Http2ServerRequest) => void (headers[':authority'] = 'a/b'),
      (raw: Http2ServerRequest) => void (raw.url = 'http://evil.test/'),
      (raw: Http2ServerRequest) => void (raw.url = '/a b'),
    ])
      expect((await askHttp2(session)).status).toBe(500)
    bad = undefined
    expect([(await askHttp2(session)).status, w1.seen.length]).toEqual([200, 1])
  })

  test('gets answers with trailers, without a body, and large ones', async () => {
    const w1 = await startBackend('w1', ({ response }) => {
      response.writeHead(200, { Trailer: 'x-sum' })
      response.write('x'.repeat(300_000))
      response.addTrailers({ 'x-sum': '1' })
      response.end()
    })
    const { port } = await start(poolOf(w1))
    const session = await connectHttp2(port)
    const large = await askHttp2(session)
    expect([large.status, large.text.length, large.trailers['x-sum']]).toEqual([200, 300_000, '1'])
    w1.script = echoWith(200)
    const head = await askHttp2(session, { ':method': 'HEAD' })
    expect([head.status, head.text, Number(head.fields['content-length']) > 0]).toEqual([200, '', true])
    w1.script = ({ response }) => void response.writeHead(204).end()
    expect((await askHttp2(session)).status).toBe(204)
  })

  test('gets nothing of the connection that a backend answers by', async () => {
    const fields = { Connection: 'keep-alive, X-Hop', 'Keep-Alive': 'timeout=5', 'X-Hop': '1', 'X-End': '1' }
    const { port } = await start(poolOf(await startBackend('w1', echoWith(200, fields))))
    const answer = await askHttp2(await connectHttp2(port))
    expect(answer.status).toBe(200)
    const { connection, 'keep-alive': keepAlive, 'x-hop': hop, 'x-end': end } = answer.fields
    expect([connection, keepAlive, hop, end]).toEqual([undefined, undefined, undefined, '1'])
  })

  test('that leaves takes its request from the backend', async () => {
    const w1 = await startBackend('w1', hang)
    const { port, affinity } = await start(poolOf(w1))
    const session = await connectHttp2(port)
    const stream = session.request({})
    stream.on('error', () => {})
    const { over } = await w1.arrival()
    stream.close(8)
    await over
    expect(w1.last.aborted).toBe(true)
    await expect.poll(() => affinity.pool.find('w1')).toMatchObject({ inFlight: 0, failures: 0 })
  })

  test('that leaves while a policy asks elsewhere costs no backend anything', async () => {
    const [asking, responded] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const policy: AffinityPolicy = {
      name: 'remote',
      async read() {
        asking.resolve()
        await responded.promise
        return { kind: 'none' }
      },
    }
    const w1 = await startBackend('w1')
    const { port, affinity } = await start({ ...poolOf(w1), affinity: [policy] })
    const session = await connectHttp2(port)
    const stream = session.request({})
    stream.on('error', () => {})
    await asking.promise
    stream.close(8)
    // The server has seen it once it answers what came behind it.
    await new Promise<void>(resolve => {
      session.ping(() => resolve())
    })
    responded.resolve()
    await expect.poll(() => affinity.pool.find('w1')).toMatchObject({ requests: 1, inFlight: 0 })
    expect(w1.connections).toBe(0)
  })

  test('is refused a tunnel', async () => {
    const { port } = await start(poolOf(await startBackend('w1')))
    const session = connect(`https://127.0.0.1:${port}`, { ca: testCertificate.cert })
    onTestFinished(() => session.destroy())
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'other.example:443' })
    const [fields] = await once(stream, 'response', { signal: AbortSignal.timeout(5_000) })
    expect([fields[':status'], fields['cache-control']]).toEqual([501, 'no-store'])
  })
})
