import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { limpet as expressLimpet } from '@limpet/express'
import { gatewayServerOptions, limpet as fastifyLimpet } from '@limpet/fastify'
import { guardServer, SERVER_OPTIONS, type UpgradeListener } from '@limpet/http-proxy'
import { limpet as koaLimpet } from '@limpet/koa'
import express from 'express'
import createFastify from 'fastify'
import Koa from 'koa'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { SECRET } from '../contract/start.ts'
import { parseAnswers } from '../support/raw-client.ts'
import { startTunnelBackend, type TunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { webSocketServer } from '../support/upgrade-scripts.ts'

/** A server with pools at /one and /two, each before one backend. */
type StartPools = (one: TunnelBackend, two: TunnelBackend) => Promise<Server>

interface Pool {
  readonly upgrade: UpgradeListener
  readonly close: () => void
}

function poolOptions(name: string, { options }: TunnelBackend) {
  const filter = ({ url = '' }: IncomingMessage) => new RegExp(`^/${name}(?=[/?]|$)`).test(url)
  return { name, secrets: [SECRET], affinity: [{ cookie: { name } }], backends: [options], filter }
}

async function startNode(listener: RequestListener, pools: readonly Pool[]): Promise<Server> {
  const server = guardServer(createServer(SERVER_OPTIONS, listener))
  for (const { upgrade } of pools) server.on('upgrade', upgrade)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const { close } of pools) close()
    server.closeAllConnections()
    await new Promise(resolve => {
      server.close(resolve)
    })
  })
  return server
}

const STARTERS: readonly (readonly [framework: string, start: StartPools])[] = [
  [
    'express',
    async (one, two) => {
      const pools = [expressLimpet(poolOptions('one', one)), expressLimpet(poolOptions('two', two))]
      return startNode(express().use(...pools), pools)
    },
  ],
  [
    'koa',
    async (one, two) => {
      const pools = [koaLimpet(poolOptions('one', one)), koaLimpet(poolOptions('two', two))]
      const app = new Koa()
      for (const pool of pools) app.use(pool)
      const listener = app.callback()
      return startNode((request, response) => void listener(request, response), pools)
    },
  ],
  [
    'fastify',
    async (one, two) => {
      const app = createFastify(gatewayServerOptions())
      onTestFinished(() => app.close())
      for (const [name, backend] of [
        ['one', one],
        ['two', two],
      ] as const) {
        const { filter: _filter, ...options } = poolOptions(name, backend)
        await app.register(fastifyLimpet, { ...options, prefix: `/${name}` })
      }
      await app.listen({ port: 0, host: '127.0.0.1' })
      return app.server
    },
  ],
]

describe.each(STARTERS)('WebSockets of several on one server of %s', (_framework, startPools) => {
  const { web, raw } = upgradeClients()

  async function start(): Promise<{ server: Server; port: number; one: TunnelBackend; two: TunnelBackend }> {
    const [one, two] = [
      await startTunnelBackend('w1', webSocketServer()),
      await startTunnelBackend('w2', webSocketServer()),
    ]
    const server = await startPools(one, two)
    return { server, port: (server.address() as AddressInfo).port, one, two }
  }

  /** The app's own, at /own, which greets each client. */
  function ownServer(server: Server): void {
    const own = new WebSocketServer({ noServer: true })
    own.on('connection', socket => socket.send('own'))
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (request.url === '/own')
        own.handleUpgrade(request, socket, head, client => own.emit('connection', client, request))
    })
    onTestFinished(() => {
      for (const client of own.clients) client.terminate()
    })
  }

  test('each pool has those of its own, and its own cookie on them', async () => {
    const { port, one, two } = await start()
    for (const [path, name, count] of [
      ['/one', 'one', [1, 0]],
      ['/two/chat?x=1', 'two', [1, 1]],
    ] as const) {
      const { lines, ask } = await web(port, { path })
      expect((await ask(path)).toString()).toBe(path)
      expect(lines.find(([key]) => key.toLowerCase() === 'set-cookie')?.[1]).toMatch(new RegExp(`^${name}=`))
      expect([one.handshakes.length, two.handshakes.length]).toEqual(count)
      expect([one, two].map(({ handshakes }) => handshakes.at(-1)?.url)).toContain(path)
    }
  })

  test('an unclaimed one gets a response, and its connection ends', async () => {
    const { port, one, two } = await start()
    for (const target of ['/three', '/', '/onewards']) {
      const client = await raw(port, handshakeText().replace('/chat', target))
      await client.until(() => false)
      expect([client.closed, parseAnswers(client.received, false, true).map(({ status }) => status)]).toEqual(
        [true, [404]],
      )
    }
    expect([...one.handshakes, ...two.handshakes, ...one.seen, ...two.seen]).toEqual([])
  })

  test('a listener of the app’s own is left alone, and leaves ours alone', async () => {
    const { server, port, one, two } = await start()
    ownServer(server)
    expect((await (await web(port, { path: '/own' })).receive()).toString()).toBe('own')
    expect((await (await web(port, { path: '/one' })).ask('a')).toString()).toBe('a')
    expect((await (await web(port, { path: '/two' })).ask('b')).toString()).toBe('b')
    expect([one.handshakes.length, two.handshakes.length]).toEqual([1, 1])
  })
})
