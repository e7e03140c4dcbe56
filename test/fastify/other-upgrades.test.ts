import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import websocket from '@fastify/websocket'
import { limpet } from '@limpet/fastify'
import type { FastifyInstance } from 'fastify'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { webSocketServer } from '../support/upgrade-scripts.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'

const { web, raw } = upgradeClients()

/** A server of `ws` on the application's own server, as its documentation shows. */
function serveLive(app: FastifyInstance, authenticate: (next: () => void) => void = next => next()): void {
  const live = new WebSocketServer({ noServer: true })
  onTestFinished(() => live.close())
  live.on('connection', socket =>
    socket.on('message', (data: Buffer) => socket.send(`live ${data.toString()}`)),
  )
  app.server.on('upgrade', (request, socket, head) => {
    if (request.url !== '/live') return
    function onError(): void {
      socket.destroy()
    }
    socket.on('error', onError)
    authenticate(() => {
      socket.removeListener('error', onError)
      live.handleUpgrade(request, socket, head, client => live.emit('connection', client, request))
    })
  })
}

async function serveRoutes(app: FastifyInstance): Promise<void> {
  await app.register(websocket)
  await app.register(async scope => {
    scope.get('/live', { websocket: true }, socket => {
      socket.on('message', (data: Buffer) => socket.send(`live ${data.toString()}`))
    })
  })
}

const OTHERS: [string, (app: FastifyInstance) => unknown][] = [
  ['a server of ws', app => serveLive(app)],
  ['a server of ws that authenticates first', app => serveLive(app, next => setTimeout(next, 20))],
  ['@fastify/websocket', serveRoutes],
]

describe.each(OTHERS)('%s', (name, register) => {
  test.each([
    ['before', '/'],
    ['after', '/'],
    ['before', '/chat'],
    ['after', '/chat'],
  ])('registered %s a pool at %s keeps its sockets, and the pool has its own [B4]', async (order, prefix) => {
    const w1 = await startTunnelBackend('w1', webSocketServer())
    const app = newApp()
    const errors: unknown[] = []
    app.addHook('onError', async (_request, _reply, error) => {
      errors.push(error)
    })
    let hooked = 0
    app.addHook('onRequest', async () => {
      hooked += 1
    })
    if (order === 'before') await register(app)
    await app.register(limpet, { ...poolOf(w1), prefix })
    if (order === 'after') await register(app)
    const port = await listen(app)
    const [own, pooled] = [await web(port, { path: '/live' }), await web(port, { path: '/chat' })]
    expect([await own.ask('hello'), await pooled.ask('hello')].map(String)).toEqual(['live hello', 'hello'])
    expect(hooked).toBe(name === '@fastify/websocket' ? 2 : 1)
    expect(w1.handshakes.length).toBe(1)
    own.socket.close()
    pooled.socket.close()
    await Promise.all([own.closed, pooled.closed])
    expect(errors).toEqual([])
    expect((await ask(port, { path: '/chat' })).echo.id).toBe('w1')
  })
})

describe('beside @fastify/websocket', () => {
  test('a hook refuses a handshake of the pool once', async () => {
    const w1 = await startTunnelBackend('w1')
    const app = newApp()
    await app.register(websocket)
    app.addHook('onRequest', async (_request, reply) => reply.code(401).send('who are you?'))
    await app.register(limpet, poolOf(w1))
    const tunnel = await raw(await listen(app))
    expect((await tunnel.responded()).statusLine).toBe('HTTP/1.1 401 Unauthorized')
    await once(tunnel.socket, 'close')
    expect(tunnel.received.match(/HTTP\/1\.1/g)).toHaveLength(1)
  })

  test('a handshake that no route takes is answered once', async () => {
    const app = newApp()
    await app.register(limpet, { ...poolOf(await startTunnelBackend('w1')), prefix: '/pool' })
    await app.register(websocket)
    const tunnel = await raw(await listen(app))
    expect((await tunnel.responded()).statusLine).toBe('HTTP/1.1 404 Not Found')
  })
})

test('a listener that refuses a handshake has decided', async () => {
  const w1 = await startTunnelBackend('w1')
  const app = newApp()
  await app.register(limpet, poolOf(w1))
  app.server.on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n')
  })
  const tunnel = await raw(await listen(app))
  expect((await tunnel.responded()).statusLine).toBe('HTTP/1.1 403 Forbidden')
  await once(tunnel.socket, 'close')
  expect(w1.handshakes.length).toBe(0)
})

test('websocket: false forwards a handshake as a plain request', async () => {
  const w1 = await startTunnelBackend('w1')
  const app = newApp()
  await app.register(limpet, { ...poolOf(w1), websocket: false })
  const tunnel = await raw(await listen(app), handshakeText())
  expect((await tunnel.responded()).statusLine).toBe('HTTP/1.1 200 OK')
  expect(w1.handshakes.length).toBe(0)
})

test.each([
  ['', 'http://a/chat', '101 Switching Protocols'],
  ['', 'HTTP://a/chat', '101 Switching Protocols'],
  ['', '*', '400 Bad Request'],
  ['/chat', 'http://a/chat', '101 Switching Protocols'],
  ['/chat', '/%63hat/', '101 Switching Protocols'],
  ['/:room', '/chat/lobby', '101 Switching Protocols'],
])(
  'a pool at %j responds to a handshake for %s that another listener leaves',
  async (prefix, url, status) => {
    const w1 = await startTunnelBackend('w1')
    const app = newApp()
    serveLive(app)
    await app.register(limpet, { ...poolOf(w1), prefix })
    const tunnel = await raw(await listen(app), handshakeText().replace('/chat', url))
    expect((await tunnel.responded()).statusLine).toBe(`HTTP/1.1 ${status}`)
  },
)

test.each([
  ['leaves', '/other', () => {}],
  ['refuses', '/other', refuse],
  ['refuses', '/pool', refuse],
])(
  'a handshake that another listener %s, for %s, ends no process when it is reset',
  async (_, path, listener) => {
    const app = newApp()
    await app.register(limpet, { ...poolOf(await startTunnelBackend('w1')), prefix: '/pool' })
    const { promise, resolve } = Promise.withResolvers<Duplex>()
    app.server.on('upgrade', (_request, socket: Duplex) => {
      listener(socket)
      resolve(socket)
    })
    const tunnel = await raw(await listen(app), handshakeText().replace('/chat', path))
    const socket = await promise
    const closed = new Promise<void>(close => {
      socket.once('close', close)
    })
    tunnel.socket.resetAndDestroy()
    await closed
    expect(socket.listenerCount('error')).toBe(1)
  },
)

function refuse(socket: Duplex): void {
  socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n')
}
