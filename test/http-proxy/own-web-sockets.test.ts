import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Affinity, createAffinity } from '@limpet/core'
import { limpet as expressLimpet } from '@limpet/express'
import { guardServer, refuseUpgrade, SERVER_OPTIONS, type UpgradeListener } from '@limpet/http-proxy'
import { limpet as koaLimpet } from '@limpet/koa'
import express from 'express'
import Koa from 'koa'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { poolOf } from '../support/fastify-app.ts'
import { startTunnelBackend, type TunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { webSocketServer } from '../support/upgrade-scripts.ts'

/** An application's own WebSockets at /own, beside a pool without a filter on the same server. */

const { web, raw } = upgradeClients()

const FRAMEWORKS = [
  [
    'express',
    (use: Affinity) => {
      const gateway = expressLimpet({ use, logger: false })
      return { gateway, listener: express().use(gateway) }
    },
  ],
  [
    'koa',
    (use: Affinity) => {
      const gateway = koaLimpet({ use, logger: false })
      const listener = new Koa().use(gateway).callback()
      return { gateway, listener: (...of: Parameters<typeof listener>) => void listener(...of) }
    },
  ],
] as const

type AddOwn = (server: Server) => void

function greet(own: WebSocketServer): void {
  own.on('connection', socket =>
    socket.on('message', (data: Buffer) => socket.send(`own ${data.toString()}`)),
  )
  onTestFinished(() => {
    for (const client of own.clients) client.terminate()
  })
}

/** As the documentation of `ws` shows it. @param authenticate is waited for, with a listener on the socket */
function addNoServer(server: Server, authenticate = (next: () => void) => next()): void {
  const own = new WebSocketServer({ noServer: true })
  greet(own)
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url !== '/own') return
    const onError = (): void => void socket.destroy()
    socket.on('error', onError)
    authenticate(() => {
      socket.off('error', onError)
      own.handleUpgrade(request, socket, head, client => own.emit('connection', client, request))
    })
  })
}

const OWN: readonly [string, AddOwn][] = [
  ['noServer', addNoServer],
  ['noServer, which authenticates first', server => addNoServer(server, next => setImmediate(next))],
  ['server and path', server => greet(new WebSocketServer({ server, path: '/own' }))],
]

describe.each(FRAMEWORKS)('beside %s', (_framework, make) => {
  async function start(w1: TunnelBackend, order: string, addOwn: AddOwn, around?: typeof guarded) {
    const affinity = createAffinity(poolOf(w1))
    const { gateway, listener } = make(affinity)
    const server = guardServer(createServer(SERVER_OPTIONS, listener))
    if (order === 'before') addOwn(server)
    server.on('upgrade', around === undefined ? gateway.upgrade : around(gateway.upgrade))
    if (order === 'after') addOwn(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(async () => {
      gateway.close()
      server.closeAllConnections()
      await new Promise(resolve => {
        server.close(resolve)
      })
    })
    return { port: (server.address() as AddressInfo).port, affinity }
  }

  /** A listener of the application that checks a handshake before it gives it to limpet. */
  function guarded(upgrade: UpgradeListener): UpgradeListener {
    return (request, socket, head) => {
      if (request.url === '/secret') refuseUpgrade(socket, 401)
      else upgrade(request, socket, head)
    }
  }

  describe.each(['before', 'after'])('a server of ws that was registered %s', order => {
    test.each(OWN)('with %s has its own sockets', async (_name, addOwn) => {
      const w1 = await startTunnelBackend('w1', webSocketServer())
      const { port } = await start(w1, order, addOwn)
      const own = await web(port, { path: '/own' })
      expect([String(await own.ask('a')), String(await own.ask('b'))]).toEqual(['own a', 'own b'])
      expect(w1.handshakes).toEqual([])
    })

    test.each(OWN.slice(0, 2))('with %s leaves the others to the pool', async (_name, addOwn) => {
      const w1 = await startTunnelBackend('w1', webSocketServer())
      const { port, affinity } = await start(w1, order, addOwn, guarded)
      const pooled = await web(port, { path: '/chat' })
      expect(String(await pooled.ask('a'))).toBe('a')
      const refused = await raw(port, handshakeText().replace('/chat', '/secret'))
      expect((await refused.responded()).statusLine).toMatch(/ 401 /)
      expect(w1.handshakes).toHaveLength(1)
      pooled.socket.terminate()
      await expect.poll(() => affinity.pool.inFlight).toBe(0)
    })

    test('with server and path refuses the others itself, once', async () => {
      const w1 = await startTunnelBackend('w1', webSocketServer())
      const { port, affinity } = await start(w1, order, OWN[2]?.[1] ?? (() => {}))
      const tunnel = await raw(port)
      await once(tunnel.socket, 'close')
      expect(tunnel.received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400'])
      expect([w1.handshakes, affinity.pool.inFlight]).toEqual([[], 0])
    })
  })

  test('a handshake that two pools would take goes to the first', async () => {
    const [w1, w2] = [await startTunnelBackend('w1'), await startTunnelBackend('w2')]
    const other = expressLimpet({ ...poolOf(w2), affinity: [{ cookie: { name: 'B' } }], logger: false })
    onTestFinished(() => other.close())
    const { port } = await start(w1, 'after', server => void server.on('upgrade', other.upgrade))
    await (await raw(port)).responded()
    expect([w1.handshakes.length, w2.handshakes.length]).toEqual([1, 0])
  })
})
