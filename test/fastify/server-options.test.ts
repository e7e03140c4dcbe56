import { gatewayServerOptions, limpet } from '@limpet/fastify'
import { describe, expect, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { valuesOf } from '../support/header-lines.ts'
import { openRaw, parseAnswers, type RawAnswer, sendRaw } from '../support/raw-client.ts'

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

async function start(backend?: Backend, http: object = {}): Promise<number> {
  const options = gatewayServerOptions()
  const app = newApp({ ...options, http: { ...options.http, ...http } })
  await app.register(limpet, poolOf(backend ?? (await startBackend('w1'))))
  return listen(app)
}

/** The only answer on a connection, which is closed after it. */
function expectLast({ answers, closed }: { answers: readonly RawAnswer[]; closed: boolean }, status: number) {
  expect(answers.map(answer => answer.status)).toEqual([status])
  const { lines = [], body, reason } = answers[0] ?? {}
  expect(closed).toBe(true)
  expect(valuesOf(lines, 'connection')).toEqual(['close'])
  expect(valuesOf(lines, 'x-content-type-options')).toEqual(['nosniff'])
  expect(valuesOf(lines, 'cache-control')).toEqual(['no-store'])
  expect(body).toBe(`${status} ${reason}\n`)
}

describe('gatewayServerOptions()', () => {
  test('gives a head 10 s, looks every second, and gives a body no time of its own [D-18, T-40]', () => {
    expect(gatewayServerOptions()).toMatchObject({
      keepAliveTimeout: 75_000,
      requestTimeout: 0,
      forceCloseConnections: 'idle',
      http: { headersTimeout: 10_000, connectionsCheckingInterval: 1_000, maxHeaderSize: 16_384 },
    })
  })

  test('a head that does not end is 408 in its time [D-18, T-40]', async () => {
    const port = await start(undefined, { headersTimeout: 300, connectionsCheckingInterval: 50 })
    const client = await openRaw(port)
    const begun = performance.now()
    client.write('GET / HTTP/1.1\r\nHost: a\r\n')
    const trickle = setInterval(() => client.write('X-Slow: 1\r\n'), 40)
    await client.until(() => false, 1_500)
    clearInterval(trickle)
    const elapsedMs = performance.now() - begun
    expectLast({ answers: parseAnswers(client.received), closed: client.closed }, 408)
    expect(elapsedMs).toBeGreaterThan(290)
    expect(elapsedMs).toBeLessThan(1_200)
  })

  test('a head that comes in pieces, but in time, is a request', async () => {
    const port = await start(undefined, { headersTimeout: 2_000, connectionsCheckingInterval: 50 })
    const client = await openRaw(port)
    for (const byte of REQUEST) client.write(byte)
    await client.until(received => parseAnswers(received).length > 0)
    expect(parseAnswers(client.received)[0]?.status).toBe(200)
  })

  test('a body may take longer than a head may', async () => {
    const port = await start(undefined, { headersTimeout: 100, connectionsCheckingInterval: 20 })
    const client = await openRaw(port)
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell')
    // Quiet is what this client is to be, for much longer than the time of a head.
    await client.until(() => false, 400)
    expect([client.received, client.closed]).toEqual(['', false])
    client.write('o')
    await client.until(received => parseAnswers(received).length > 0)
    expect(JSON.parse(parseAnswers(client.received)[0]?.body ?? '')).toMatchObject({ bytes: 5 })
  })

  test.each([
    ['a line that is too long', `X-Long: ${'x'.repeat(17_000)}\r\n`],
    ['too many lines', 'X-Many: xxxxxxxx\r\n'.repeat(1_000)],
  ])('%s is 431 [T-40]', async (_, lines) => {
    const w1 = await startBackend('w1')
    const port = await start(w1)
    expectLast(await sendRaw(port, `GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`), 431)
    expect(w1.connections).toBe(0)
  })

  test('a head of 15 KiB is none too long', async () => {
    const port = await start()
    const { answers } = await sendRaw(port, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(15_000)}\r\n\r\n`)
    expect(answers[0]?.status).toBe(200)
  })

  test.each([
    ['that is none', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['of TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n'],
    ['with a line that is none', 'GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n'],
    ['with two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
    ['of an unknown method', 'LOOK / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('a request %s is answered once, with 400, and the connection is closed', async (_, bytes) => {
    const w1 = await startBackend('w1')
    const port = await start(w1)
    expectLast(await sendRaw(port, bytes + REQUEST, { answers: 2 }), 400)
    expect(w1.connections).toBe(0)
  })

  test('a request after which comes garbage has its answer, and the garbage one of its own', async () => {
    const port = await start()
    const client = await openRaw(port)
    client.write(REQUEST)
    await client.until(received => parseAnswers(received).length === 1)
    client.write('no request\r\n\r\n')
    await client.until(() => false)
    const [first, ...others] = parseAnswers(client.received)
    expect(first?.status).toBe(200)
    expectLast({ answers: others, closed: client.closed }, 400)
  })

  test('garbage behind an answer that has begun ends the connection without a word', async () => {
    const w1 = await startBackend('w1', ({ response }) => void response.write('the beginning'))
    const client = await openRaw(await start(w1))
    client.write(REQUEST)
    await client.until(received => received.includes('the beginning'))
    client.write('no request\r\n\r\n')
    await client.until(() => false)
    expect(client.closed).toBe(true)
    expect(client.received.match(/HTTP\/1\.1/g)).toHaveLength(1)
    await w1.last.over
    expect(w1.last.aborted).toBe(true)
  })

  test('garbage behind a request that waits is the only one of the two to be answered', async () => {
    const w1 = await startBackend('w1', () => {})
    const client = await openRaw(await start(w1))
    client.write(REQUEST)
    await w1.arrival()
    client.write('no request\r\n\r\n')
    await client.until(() => false)
    expectLast({ answers: parseAnswers(client.received), closed: client.closed }, 400)
    await w1.last.over
    expect(w1.last.aborted).toBe(true)
  })

  test('CONNECT is 501, whatever comes behind it', async () => {
    const w1 = await startBackend('w1')
    const port = await start(w1)
    const connect = 'CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n'
    expectLast(await sendRaw(port, connect), 501)
    expectLast(await sendRaw(port, connect + REQUEST, { answers: 2 }), 501)
    expect(w1.connections).toBe(0)
  })

  test("an app's own way with CONNECT is left to it", async () => {
    const app = newApp(gatewayServerOptions())
    app.server.on('connect', (_request, socket) => socket.end('HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n'))
    await app.register(limpet, poolOf())
    const { answers } = await sendRaw(await listen(app), 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n')
    expect(answers.map(({ status }) => status)).toEqual([405])
  })

  test('limits the unanswered requests of a connection', async () => {
    const w1 = await startBackend('w1', () => {})
    for (const [options, expected] of [
      [gatewayServerOptions(), 16],
      [gatewayServerOptions({ maxUnanswered: 3 }), 3],
    ] as const) {
      w1.seen.length = 0
      const app = newApp({ ...options })
      await app.register(limpet, poolOf(w1))
      const port = await listen(app)
      const client = await openRaw(port)
      client.write(REQUEST.repeat(500))
      await w1.arrival(expected)
      expect((await sendRaw(port, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n')).answers).toHaveLength(1)
      expect(w1.seen).toHaveLength(expected)
      expect(app.server).toMatchObject({
        keepAliveTimeout: 75_000,
        headersTimeout: 10_000,
        requestTimeout: 0,
      })
      client.socket.destroy()
    }
  })

  test.each([0, 1.5, '4', null])('does not take %j unanswered requests', value => {
    expect(() => gatewayServerOptions({ maxUnanswered: value as number })).toThrow('option maxUnanswered got')
  })
})
