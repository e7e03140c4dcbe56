import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { HealthOptions } from '@limpet/core'
import { parseHealth } from '@limpet/core/adapter'
import { healthProbe } from './health-probe.ts'
import { parseTransport } from '../transport-options.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** The time of a probe that is to end by itself, and of one that is to be aborted. */
const [ANY_MS, SHORT_MS] = [60_000, 200]

/** A backend that handles each connection by `serve`, and the result of a probe. */
async function probe(serve: (socket: Socket) => void, options: HealthOptions = {}, timeoutMs = ANY_MS) {
  const sockets = new Set<Socket>()
  let received = ''
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    socket.on('data', piece => (received += piece.toString('latin1')))
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const settings = parseHealth('health', options)
  if (settings === undefined) throw new Error('no settings')
  const ask = healthProbe(parseTransport({}), settings)
  const problem = await ask({ id: 'a', url }, AbortSignal.timeout(timeoutMs)).then(
    result => result ?? 'well',
    (error: unknown) => (error as Error).message,
  )
  // Whatever came of it, the backend is rid of it.
  await Promise.all(
    [...sockets].map(
      async socket =>
        new Promise<void>(resolve => {
          if (socket.closed) resolve()
          else socket.once('close', () => resolve())
        }),
    ),
  )
  return { problem, received, url }
}

/** Answers once the request is there. */
function answer(text: string): (socket: Socket) => void {
  return socket => socket.once('data', () => socket.write(text))
}

describe('a probe', () => {
  it('is a plain request on a connection of its own [T-55]', async () => {
    const { problem, received, url } = await probe(answer(OK), { path: '/health?deep=1' })
    expect(problem).toBe('well')
    expect(received).toBe(
      `GET /health?deep=1 HTTP/1.1\r\nhost: ${url.host}\r\nuser-agent: limpet\r\nConnection: close\r\n\r\n`,
    )
  })

  it('has the method and the fields that it is given', async () => {
    const { received } = await probe(answer(OK), {
      method: 'HEAD',
      headers: { Host: 'app.example', 'X-Probe': 'yes' },
    })
    expect(received).toContain('HEAD / HTTP/1.1\r\n')
    expect(received).toContain('host: app.example\r\n')
    expect(received).toContain('x-probe: yes\r\n')
  })

  it.each<[string, string, string, HealthOptions]>([
    ['another status', 'HTTP/1.1 503 No\r\n\r\n', 'status 503', {}],
    ['a redirect, which is not followed', 'HTTP/1.1 302 F\r\nLocation: /\r\n\r\n', 'status 302', {}],
    [
      'a head without end',
      `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`,
      'Parse Error: Header overflow',
      {},
    ],
    ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', 'Parse Error: Expected HTTP/, RTSP/ or ICE/', {}],
    ['nothing but a 100', 'HTTP/1.1 100 Continue\r\n\r\n', 'aborted', {}],
    [
      'an unrequested upgrade',
      'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
      'the connection ended',
      {},
    ],
    ['another body', OK, 'the body does not contain the expected text', { body: 'ready' }],
    [
      'a body without end',
      `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(70_000)}`,
      'the body does not contain the expected text',
      { body: 'ready' },
    ],
    ['a body that stops', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nrea', 'aborted', { body: 'ready' }],
  ])('takes %s for what it is [T-55]', async (_what, text, expected, options) => {
    const timeoutMs = expected === 'aborted' ? SHORT_MS : ANY_MS
    expect((await probe(answer(text), options, timeoutMs)).problem).toBe(expected)
  })

  it.each<[string, string, HealthOptions]>([
    ['the first status that fits', OK, { expect: [204, 200] }],
    ['a head whose body never comes', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', {}],
    ['a body in which it stands', 'HTTP/1.1 200 OK\r\n\r\n{"state":"réady"', { body: '"réady"' }],
  ])('is content with %s', async (_what, text, options) => {
    expect(
      (await probe(socket => socket.once('data', () => socket.write(text, 'utf8')), options)).problem,
    ).toBe('well')
  })

  it.each([
    ['ends with them', 65_531, 'well'],
    ['goes on behind them', 65_532, 'the body does not contain the expected text'],
  ])('reads 64 KiB of a body, in whatever pieces: what %s', async (_what, before, expected) => {
    const text = `${'x'.repeat(before)}ready`
    const pieces = text.replaceAll(/./g, '1\r\n$&\r\n')
    const { problem } = await probe(
      answer(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${pieces}`),
      { body: 'ready' },
    )
    expect(problem).toBe(expected)
  })

  it.each<[string, string, HealthOptions]>([
    ['not-found', 'HTTP/1.1 404 No\r\n\r\n', { selfDrain: true }],
    ['not-found', 'HTTP/1.1 404 No\r\n\r\n', { selfDrain: true, expect: [200, 404] }],
    ['drain', 'HTTP/1.1 200 OK\r\nLimpet-State: drain\r\n\r\n', { selfDrain: true }],
    ['drain', 'HTTP/1.1 200 OK\r\nLimpet-State: drain\r\n\r\nready', { selfDrain: true, body: 'ready' }],
    ['well', 'HTTP/1.1 200 OK\r\nLimpet-State: ready\r\n\r\n', { selfDrain: true }],
    ['status 503', 'HTTP/1.1 503 No\r\nLimpet-State: drain\r\n\r\n', { selfDrain: true }],
    ['status 404', 'HTTP/1.1 404 No\r\n\r\n', {}],
    ['well', 'HTTP/1.1 200 OK\r\nLimpet-State: drain\r\n\r\n', {}],
  ])('hears a backend that drains itself: %s of %j', async (expected, text, options) => {
    expect((await probe(answer(text), options)).problem).toBe(expected)
  })

  it('only connects, where that is enough', async () => {
    const { problem, received } = await probe(() => {}, { tcp: true })
    expect([problem, received]).toEqual(['well', ''])
    const settings = parseHealth('health', { tcp: true })
    if (settings === undefined) throw new Error('no settings')
    const ask = healthProbe(parseTransport({}), settings)
    const closed = { id: 'a', url: new URL('http://127.0.0.1:1') }
    await expect(ask(closed, AbortSignal.timeout(1_000))).rejects.toThrow('ECONNREFUSED')
  })

  it('is content with a body that comes in pieces', async () => {
    const { problem } = await probe(
      socket =>
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\nre')
          setImmediate(() => socket.write('ady'))
        }),
      { body: 'ready' },
    )
    expect(problem).toBe('well')
  })

  it('finds one that accepts and says nothing', async () => {
    expect((await probe(() => {}, {}, SHORT_MS)).problem).toBe('aborted')
  })

  it('finds one that breaks off', async () => {
    expect((await probe(socket => socket.once('data', () => socket.resetAndDestroy()))).problem).toContain(
      'ECONNRESET',
    )
    expect((await probe(socket => socket.destroy())).problem).toMatch(/socket hang up|ECONNRESET/)
  })

  it('finds one that is not there, and ends at once when it is called off', async () => {
    const settings = parseHealth('health', {})
    if (settings === undefined) throw new Error('no settings')
    const ask = healthProbe(parseTransport({}), settings)
    const nobody = { id: 'a', url: new URL('http://127.0.0.1:1') }
    await expect(ask(nobody, AbortSignal.timeout(1_000))).rejects.toThrow('ECONNREFUSED')
    await expect(ask(nobody, AbortSignal.abort())).rejects.toThrow('aborted')
  })
})
