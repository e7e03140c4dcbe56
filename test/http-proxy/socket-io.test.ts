import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { io, type Socket } from 'socket.io-client'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Gateway, Harness } from '../contract/harness.ts'
import { SECRET } from '../contract/start.ts'
import { HARNESSES } from '../support/harnesses.ts'
import { open } from '../support/http-client.ts'

/** A Socket.IO server as it comes, which knows its own clients alone. */
interface ChatServer {
  readonly id: string
  readonly url: string
  readonly io: Server
}

async function startChat(id: string): Promise<ChatServer> {
  const http = createServer((request, response) => {
    if (request.url !== '/events') return
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(`data: ${id}\n\n`)
    const timer = setInterval(() => response.write(`data: tick\n\n`), 20)
    response.once('close', () => clearInterval(timer))
  })
  const chat = new Server(http)
  chat.on('connection', socket => {
    socket.on('who', answer => (answer as (id: string) => void)(id))
    socket.on('echo', (data, answer) => (answer as (data: unknown) => void)(data))
    socket.on('shout', text => socket.emit('heard', `${id}: ${text}`))
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  return { id, url: `http://127.0.0.1:${port}`, io: chat }
}

async function startChats(harness: Harness): Promise<{ chats: readonly ChatServer[]; gateway: Gateway }> {
  const chats = [await startChat('chat1'), await startChat('chat2')]
  const backends = chats.map(({ id, url }) => ({ id, url }))
  const gateway = await harness.start({ secrets: [SECRET], backends })
  onTestFinished(async () => {
    // Polls are long; a server that closes answers them.
    for (const chat of chats) await chat.io.close()
    await gateway.close()
  })
  return { chats, gateway }
}

/** A client that keeps its cookies, as a browser does, on its own connections. */
function visit(gateway: Gateway, options: object = {}): Socket {
  const socket = io(`http://127.0.0.1:${gateway.port}`, {
    withCredentials: true,
    forceNew: true,
    reconnection: false,
    ...options,
  })
  onTestFinished(() => void socket.disconnect())
  return socket
}

async function connected(socket: Socket): Promise<Socket> {
  await new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(undefined)).once('connect_error', reject)
  })
  return socket
}

async function upgraded(socket: Socket): Promise<void> {
  const { engine } = socket.io
  if (engine.transport.name === 'websocket') return
  await new Promise(resolve => {
    engine.once('upgrade', resolve)
  })
}

describe.each(HARNESSES)('Socket.IO before two servers, behind $name', harness => {
  test('a client begins by polling, and goes on by WebSocket on the same server', async () => {
    const { gateway } = await startChats(harness)
    const socket = visit(gateway)
    expect(socket.io.engine.transport.name).toBe('polling')
    await connected(socket)
    await upgraded(socket)
    expect(socket.io.engine.transport.name).toBe('websocket')
    const id: unknown = await socket.emitWithAck('who')
    const data = { text: 'ü€😀', bytes: Buffer.alloc(300_000, 7) }
    expect(await socket.emitWithAck('echo', data)).toEqual(data)
    const heard = new Promise(resolve => {
      socket.once('heard', resolve)
    })
    socket.emit('shout', 'hello')
    expect(await heard).toBe(`${String(id)}: hello`)
    const inFlight = gateway.affinity.pool.backends.map(view => view.inFlight)
    expect(inFlight.toSorted((a, b) => a - b)).toEqual([0, 1])
  })

  test('all requests of twenty clients meet the server of their session', async () => {
    const { chats, gateway } = await startChats(harness)
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = await connected(visit(gateway))
        await upgraded(socket)
        const answers = await Promise.all(Array.from({ length: 10 }, () => socket.emitWithAck('who')))
        return [...new Set(answers as string[])]
      }),
    )
    expect(ids.map(({ length }) => length)).toEqual(Array(20).fill(1))
    const counts = chats.map(({ id }) => ids.filter(([own]) => own === id).length)
    expect(Math.min(...counts)).toBeGreaterThan(4)
    expect(chats.map(chat => chat.io.engine.clientsCount)).toEqual(counts)
  })

  test('a client that only polls stays, too', async () => {
    const { gateway } = await startChats(harness)
    for (let session = 0; session < 4; session += 1) {
      const socket = await connected(visit(gateway, { transports: ['polling'] }))
      const first: unknown = await socket.emitWithAck('who')
      for (let times = 0; times < 5; times += 1) expect(await socket.emitWithAck('who')).toBe(first)
      expect(socket.io.engine.transport.name).toBe('polling')
    }
  })

  test('a client that begins by WebSocket needs no cookie', async () => {
    const { gateway } = await startChats(harness)
    const socket = await connected(visit(gateway, { transports: ['websocket'], withCredentials: false }))
    expect(await socket.emitWithAck('echo', 'a')).toBe('a')
  })

  test('a client that forgets its cookies is told by the server that it does not know it', async () => {
    const { gateway } = await startChats(harness)
    const socket = visit(gateway, { withCredentials: false })
    await expect(connected(socket)).rejects.toThrow(/^xhr (poll|post) error$/)
  })

  test('a stream of events beside it goes on', async () => {
    const { gateway } = await startChats(harness)
    const { message } = await open(gateway.port, { path: '/events' })
    let events = ''
    message.on('data', (data: Buffer) => (events += data.toString()))
    const socket = await connected(visit(gateway))
    await upgraded(socket)
    expect(await socket.emitWithAck('echo', 'a')).toBe('a')
    const before = events.length
    await expect.poll(() => events.length, { interval: 5 }).toBeGreaterThan(before + 50)
    expect(events).toMatch(/^data: chat[12]\n\ndata: tick\n\n/)
    message.destroy()
  })

  test('both leave: nothing is in flight', async () => {
    const { chats, gateway } = await startChats(harness)
    const [first, second] = [await connected(visit(gateway)), await connected(visit(gateway))]
    await Promise.all([upgraded(first), upgraded(second)])
    first.disconnect()
    for (const chat of chats) chat.io.disconnectSockets(true)
    const inFlight = () => gateway.affinity.pool.backends.map(view => view.inFlight)
    await expect.poll(inFlight, { interval: 5, timeout: 3_000 }).toEqual([0, 0])
  })
})
