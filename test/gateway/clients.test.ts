import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import type { Script } from '../support/exchange.ts'
import { ADAPTERS, fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { askHttp2, connectHttp2 } from '../support/http2-client.ts'
import { openRaw, sendRaw } from '../support/raw-client.ts'
import { echo } from '../support/scripts.ts'

/** Limits of the `limpet` command for slow and greedy clients. */

const TLS = fileURLToPath(new URL('../support/tls/', import.meta.url))
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** More than all the buffers on the way to a client that does not read. */
const flood: Script = ({ response }) => {
  response.writeHead(200, { 'content-length': 64 * 1024 * 1024 })
  const piece = Buffer.alloc(64 * 1024)
  function pour(): void {
    while (!response.destroyed && response.write(piece));
  }
  response.on('drain', pour)
  pour()
}

async function openUnread(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' }).pause()
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

describe.each(ADAPTERS)('limpet --adapter %s', adapter => {
  const args = ['--adapter', adapter]

  test('gives heads a time and a size, and idle connections an end [T-40]', async () => {
    const w1 = await startBackend('w1')
    const limits = { headers: '4KiB', headersTimeout: '300ms', keepAlive: '1s' }
    const gateway = await GatewayProcess.start(fileOf([w1], { limits }), args)
    const large = await gateway.ask({ headers: { 'X-Large': 'x'.repeat(5_000) } })
    expect(large.status).toBe(431)
    const slow = await openRaw(gateway.port)
    slow.write('GET / HTTP/1.1\r\nHost: a\r\n')
    await slow.until(() => false, 5_000)
    expect([slow.received.slice(0, 12), slow.closed]).toEqual(['HTTP/1.1 408', true])
    expect(w1.seen).toHaveLength(0)
    const idle = await openRaw(gateway.port)
    idle.write(REQUEST)
    await idle.until(() => false, 5_000)
    expect([idle.received.slice(0, 12), idle.closed]).toEqual(['HTTP/1.1 200', true])
  })

  test('gives whole requests a time where it is told to [T-40]', async () => {
    const w1 = await startBackend('w1')
    const limits = { headersTimeout: '300ms', requestTimeout: '600ms' }
    const gateway = await GatewayProcess.start(fileOf([w1], { limits }), args)
    const slow = await openRaw(gateway.port)
    slow.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx')
    await slow.until(() => false, 5_000)
    expect([slow.received.slice(0, 12), slow.closed]).toEqual(['HTTP/1.1 408', true])
    expect((await gateway.ask()).status).toBe(200)
  })

  test('disconnects a client that does not read its response, and no other [T-40]', async () => {
    const w1 = await startBackend('w1', flood)
    const gateway = await GatewayProcess.start(fileOf([w1], { limits: { sendTimeout: '1500ms' } }), args)
    const unread = await openUnread(gateway.port)
    unread.write(REQUEST)
    const slow = await openUnread(gateway.port)
    slow.write(REQUEST)
    // It takes a little now and then.
    const reading = setInterval(() => slow.read(), 20)
    onTestFinished(() => clearInterval(reading))
    await w1.arrival(2)
    // It waits for its backend.
    w1.script = exchange => void setTimeout(() => void echo(exchange), 4_000)
    const patient = gateway.ask()
    expect(await gateway.logged('request')).toMatchObject({ status: 200, end: 'client_left' })
    expect((await patient).status).toBe(200)
    expect(await gateway.logged('request', 2)).toMatchObject({ status: 200, end: 'complete' })
    expect(slow.closed).toBe(false)
  })

  test('has 16 unanswered requests of a connection, or as many as it is told', async () => {
    const w1 = await startBackend('w1', () => {})
    for (const [limits, expected] of [
      [{}, 16],
      [{ unanswered: 20 }, 20],
    ] as const) {
      w1.seen.length = 0
      const gateway = await GatewayProcess.start(fileOf([w1], { limits }), args)
      const client = await openRaw(gateway.port)
      client.write(REQUEST.repeat(2_000))
      await w1.arrival(expected)
      const stats = JSON.parse((await gateway.admin('GET', '/stats.json')).text)
      expect([w1.seen.length, stats.pools.web.inFlight]).toEqual([expected, expected])
      client.socket.destroy()
    }
  })

  test('lets one address have so many connections, and all of them so many [T-40]', async () => {
    const w1 = await startBackend('w1')
    for (const limits of [{ connectionsPerAddress: 2 }, { connections: 2 }]) {
      const gateway = await GatewayProcess.start(fileOf([w1], { limits }), args)
      const first = await openRaw(gateway.port)
      const second = await openRaw(gateway.port)
      second.write(REQUEST)
      await second.until(received => received.includes('200 OK'))
      expect((await sendRaw(gateway.port, REQUEST)).text).toBe('')
      expect(await gateway.logged('connections_refused')).toMatchObject({ count: 1, client: '127.0.0.1' })
      first.socket.destroy()
      await expect.poll(async () => (await sendRaw(gateway.port, REQUEST)).text).toContain('200 OK')
    }
  })
})

describe('limpet with TLS', () => {
  test('gives handshakes a time, and idle connections of HTTP/2 an end [T-40]', async () => {
    const w1 = await startBackend('w1', exchange => void setTimeout(() => void echo(exchange), 2_000))
    const tls = { cert: join(TLS, 'certificate.pem'), key: join(TLS, 'key.pem') }
    const gateway = await GatewayProcess.start(
      fileOf([w1], {
        listen: { port: 0, http2: true, tls },
        limits: { headersTimeout: '500ms', keepAlive: '1s' },
      }),
    )
    const silent = await openRaw(gateway.port)
    await silent.until(() => false, 5_000)
    expect(silent.closed).toBe(true)
    const session = await connectHttp2(gateway.port)
    // One that waits for its answer is not idle.
    expect((await askHttp2(session)).status).toBe(200)
    expect(session.remoteSettings.maxConcurrentStreams).toBe(128)
    await once(session, 'close')
  })

  test('disconnects a client that does not read its response, and no other [T-40]', async () => {
    const w1 = await startBackend('w1', flood)
    const tls = { cert: join(TLS, 'certificate.pem'), key: join(TLS, 'key.pem') }
    const gateway = await GatewayProcess.start(
      fileOf([w1], { listen: { port: 0, http2: true, tls }, limits: { sendTimeout: '1s' } }),
    )
    const session = await connectHttp2(gateway.port)
    const unread = session.request({ ':path': '/' })
    await once(unread, 'response')
    w1.script = exchange => void setTimeout(() => void echo(exchange), 2_500)
    const patient = askHttp2(session)
    await once(unread, 'close')
    expect((await patient).status).toBe(200)
    const ends = [await gateway.logged('request', 1), await gateway.logged('request', 2)]
    expect(ends).toMatchObject([
      { status: 200, end: 'client_left', client: '127.0.0.1' },
      { status: 200, end: 'complete', client: '127.0.0.1' },
    ])
    // The bytes of an HTTP/2 connection are not one request's.
    expect(ends[1]).not.toHaveProperty('bytesOut')
  })

  test('writes no control characters of a client into its log', async () => {
    const w1 = await startBackend('w1')
    const tls = { cert: join(TLS, 'certificate.pem'), key: join(TLS, 'key.pem') }
    const gateway = await GatewayProcess.start(fileOf([w1], { listen: { port: 0, http2: true, tls } }))
    const session = await connectHttp2(gateway.port)
    await askHttp2(session, { ':path': '/\u009b31m\u0085\u00e9?\u009b' })
    expect(await gateway.logged('request')).toMatchObject({ path: '/\\x9b31m\\x85\u00e9' })
  })
})
