import { once } from 'node:events'
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { createAffinity } from '@limpet/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BackendAgent, backendAgents } from './backend-agent.ts'
import { socketOpener } from './backend-socket.ts'
import { parseTransport } from '../transport-options.ts'

const TRANSPORT = parseTransport({ timeouts: { connect: 500 } })

type Listener = (response: ServerResponse) => unknown

/** A server, the connections that are open to it and how many there ever were. */
async function startBackend(listener: Listener = response => response.end('answer')) {
  const server = createServer({ keepAliveTimeout: 0 }, (_request, response) => void listener(response))
  const sockets = new Set<Socket>()
  const backend = { sockets, connections: 0, url: '', server }
  server.on('connection', socket => {
    backend.connections += 1
    sockets.add(socket.on('error', () => {}).once('close', () => sockets.delete(socket)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  backend.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return backend
}

/** A request through `agent`, and the failed connections that it was notified of. */
function requestBy(agent: BackendAgent, onUnreached?: () => void): ClientRequest {
  return request({
    host: 'nowhere.invalid',
    agent: {
      protocol: 'http:',
      defaultPort: 80,
      keepAlive: true,
      maxSockets: Infinity,
      addRequest: (sent: ClientRequest) => agent.serve(sent, onUnreached),
    } as object as BackendAgent,
  })
}

async function responseTo(sent: ClientRequest): Promise<string> {
  const [message] = (await once(sent.end(), 'response')) as [IncomingMessage]
  return text(message)
}

function agentFor(url: string, keepAlive = true): BackendAgent {
  const agent = new BackendAgent(socketOpener({ id: 'a', url: new URL(url) }, TRANSPORT), keepAlive)
  onTestFinished(() => agent.destroy())
  return agent
}

function idleOf(agent: BackendAgent): number {
  return Object.values(agent.freeSockets).flat().length
}

describe("a backend's agent", () => {
  it('goes to the backend, whatever host the request names', async () => {
    const { url } = await startBackend()
    expect(await responseTo(requestBy(agentFor(url)))).toBe('answer')
  })

  it('hands a socket over only when it is connected', async () => {
    const { url } = await startBackend()
    const sent = requestBy(agentFor(url)).end()
    const [socket] = (await once(sent, 'socket')) as [Socket]
    expect([socket.connecting, socket.readyState]).toEqual([false, 'open'])
    await once(sent, 'response')
  })

  it('reports a failed connection before the request has its error', async () => {
    const { url, server } = await startBackend()
    server.close()
    await once(server, 'close')
    const told: string[] = []
    const sent = requestBy(agentFor(url), () => told.push('unreached'))
    sent.on('socket', () => told.push('socket')).on('error', () => told.push('error'))
    const [error] = await once(sent.end(), 'error')
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
    expect(told).toEqual(['unreached', 'error'])
  })

  it('keeps a connection for the next request, and takes the one that was used last', async () => {
    const backend = await startBackend()
    const agent = agentFor(backend.url)
    await Promise.all([1, 2, 3].map(async () => responseTo(requestBy(agent))))
    await expect.poll(() => idleOf(agent)).toBe(3)
    const last = Object.values(agent.freeSockets).flat().at(-1)
    const sent = requestBy(agent).end()
    const [socket] = await once(sent, 'socket')
    expect([socket === last, sent.reusedSocket]).toEqual([true, true])
    await once(sent, 'response')
    expect(backend.connections).toBe(3)
  })

  it('opens as many as are asked for at once, and keeps no more than 256', async () => {
    const everybody = Promise.withResolvers<void>()
    let arrived = 0
    const { url, sockets } = await startBackend(async response => {
      arrived += 1
      if (arrived === 260) everybody.resolve()
      await everybody.promise
      response.end('answer')
    })
    const agent = agentFor(url)
    await Promise.all(Array.from({ length: 260 }, async () => responseTo(requestBy(agent))))
    await expect.poll(() => sockets.size).toBe(256)
    expect(idleOf(agent)).toBe(256)
  })

  it('gives a request no connection whose end is known, before the connection is closed', async () => {
    const backend = await startBackend()
    const agent = agentFor(backend.url)
    await Promise.all([1, 2].map(async () => responseTo(requestBy(agent))))
    await expect.poll(() => idleOf(agent)).toBe(2)
    // As by an end that has arrived: Node takes the connection from its list with its `close`, some events later.
    Object.values(agent.freeSockets).flat().at(-1)?.destroy()
    expect(idleOf(agent)).toBe(2)
    const sent = requestBy(agent)
    expect([await responseTo(sent), sent.reusedSocket]).toEqual(['answer', true])
    expect(backend.connections).toBe(2)
  })

  it.each(['timeout=1', 'max=5, timeout=1', 'timeout=0'])(
    'keeps no connection that its backend is about to close, by Keep-Alive: %s',
    async announced => {
      const backend = await startBackend(response =>
        response.setHeader('Keep-Alive', announced).end('answer'),
      )
      const agent = agentFor(backend.url)
      for (let time = 0; time < 2; time += 1) expect(await responseTo(requestBy(agent))).toBe('answer')
      await expect.poll(() => backend.sockets.size).toBe(0)
      expect([backend.connections, idleOf(agent)]).toEqual([2, 0])
    },
  )

  it.each([
    ['max=5, timeout=3', 2_000],
    ['timeout=9', 4_000],
  ])(
    'keeps one for its time less a second by Keep-Alive: %s, and not longer than its own',
    async (field, ms) => {
      const backend = await startBackend(response => response.setHeader('Keep-Alive', field).end('answer'))
      const agent = agentFor(backend.url)
      await responseTo(requestBy(agent))
      await expect.poll(() => idleOf(agent)).toBe(1)
      expect((Object.values(agent.freeSockets).flat()[0] as Socket).timeout).toBe(ms)
    },
  )

  it('keeps none where each is to be used once', async () => {
    const backend = await startBackend()
    const agent = agentFor(backend.url, false)
    for (let time = 0; time < 2; time += 1) expect(await responseTo(requestBy(agent))).toBe('answer')
    await expect.poll(() => backend.sockets.size).toBe(0)
    expect([backend.connections, idleOf(agent)]).toEqual([2, 0])
  })

  it('closes an idle connection before the backend would, without knowing its timeout', async () => {
    const backend = await startBackend()
    const agent = agentFor(backend.url)
    await responseTo(requestBy(agent))
    await expect.poll(() => idleOf(agent)).toBe(1)
    const begun = performance.now()
    for (const socket of backend.sockets) await once(socket, 'close')
    // Node's servers would after five seconds.
    expect(performance.now() - begun).toBeGreaterThan(3_500)
    expect(performance.now() - begun).toBeLessThan(4_900)
  })
})

describe("the agents of a pool's backends", () => {
  async function poolOf(...ids: readonly string[]) {
    const backends = await Promise.all(ids.map(async () => startBackend()))
    const rows = ids.map((id, index) => ({ id, url: backends[index]?.url ?? '' }))
    const affinity = createAffinity({ backends: rows, affinity: [] })
    const agents = backendAgents(affinity, TRANSPORT)
    onTestFinished(() => agents.close())
    const member = (id: string) => {
      const view = affinity.pool.find(id)
      if (view === undefined) throw new Error(`no backend ${id}`)
      return view.backend
    }
    return { pool: affinity.pool, agents, member, backends }
  }

  it('are one for each, as long as it is a member', async () => {
    const { pool, agents, member } = await poolOf('a', 'b')
    const [a, b] = [member('a'), member('b')]
    const agent = agents.agentOf(a)
    expect(agents.agentOf(b)).not.toBe(agent)
    pool.setHealthy('a', false)
    pool.setState('b', 'drain')
    expect(agents.agentOf(a)).toBe(agent)
  })

  it('may be fresh ones, used by one request alone', async () => {
    const { agents, member, backends } = await poolOf('a')
    const kept = agents.agentOf(member('a'))
    await responseTo(requestBy(kept))
    const fresh = requestBy(agents.freshAgent(member('a')))
    await responseTo(fresh)
    expect(fresh.reusedSocket).toBe(false)
    await expect.poll(() => backends[0]?.sockets.size).toBe(1)
    expect([backends[0]?.connections, idleOf(kept)]).toEqual([2, 1])
  })

  it('close the idle connections of one that has left, with the next look, and no others', async () => {
    const { pool, agents, member, backends } = await poolOf('a', 'b')
    for (const id of ['a', 'b']) await responseTo(requestBy(agents.agentOf(member(id))))
    const [a, b] = backends
    await expect.poll(() => [a?.sockets.size, b?.sockets.size]).toEqual([1, 1])
    pool.remove('a')
    const kept = agents.agentOf(member('b'))
    await expect.poll(() => a?.sockets.size).toBe(0)
    expect([b?.sockets.size, idleOf(kept)]).toEqual([1, 1])
  })

  it('let the busy connections of a removed backend end with their requests', async () => {
    const finish = Promise.withResolvers<void>()
    const a = await startBackend(async response => {
      response.write('first ')
      await finish.promise
      response.end('and last')
    })
    const { pool, agents, member } = await poolOf('b')
    pool.add({ id: 'a', url: a.url })
    const agent = agents.agentOf(member('a'))
    const sent = requestBy(agent).end()
    const [message] = (await once(sent, 'response')) as [IncomingMessage]
    pool.remove('a')
    agents.agentOf(member('b'))
    finish.resolve()
    expect(await text(message)).toBe('first and last')
    await expect.poll(() => a.sockets.size).toBe(0)
    expect(idleOf(agent)).toBe(0)
  })

  it('are others for one that has come back, at another place', async () => {
    const { pool, agents, member, backends } = await poolOf('a')
    const before = agents.agentOf(member('a'))
    const other = await startBackend()
    pool.replace([{ id: 'a', url: other.url }])
    const after = agents.agentOf(member('a'))
    expect(after).not.toBe(before)
    await responseTo(requestBy(after))
    expect([backends[0]?.connections, other.connections]).toEqual([0, 1])
  })

  it('end all idle connections when they are closed, and may be used again', async () => {
    const { agents, member, backends } = await poolOf('a', 'b')
    for (const id of ['a', 'b']) await responseTo(requestBy(agents.agentOf(member(id))))
    agents.close()
    await expect.poll(() => backends.map(({ sockets }) => sockets.size)).toEqual([0, 0])
    expect(await responseTo(requestBy(agents.agentOf(member('a'))))).toBe('answer')
  })
})
