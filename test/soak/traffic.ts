import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'

/** One thing that a client does, from its first byte to its last. Whatever comes of it, it does not reject. */
type Visit = (port: number) => Promise<void>

const agent = new Agent({ keepAlive: true, maxSockets: 20, timeout: 2_000 })

/** The visits of clients, and how often each happens. */
const VISITS: readonly (readonly [share: number, name: string, visit: Visit])[] = [
  [40, 'pages', async port => page(port, '/')],
  [5, 'large pages', async port => page(port, '/large')],
  [5, 'slow pages', async port => page(port, '/slow')],
  [5, 'requests whose backend resets', async port => page(port, '/reset')],
  [5, 'requests whose response is cut', async port => page(port, '/cut')],
  [10, 'uploads', async port => page(port, '/', Buffer.alloc(256 * 1024))],
  [5, 'uploads that are answered early', async port => page(port, '/early', Buffer.alloc(256 * 1024))],
  [5, 'aborted pages', async port => aborted(port, 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')],
  [
    5,
    'aborted uploads',
    async port =>
      aborted(port, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n${'x'.repeat(9_999)}`),
  ],
  [3, 'unfinished heads', async port => aborted(port, 'GET / HTTP/1.1\r\nHost:')],
  [2, 'bytes that are no request', async port => aborted(port, 'nonsense\r\n\r\n')],
  [5, 'slow readers', slowReader],
  [5, 'WebSockets', webSocket],
]

/** Visits, one after the other, from so many clients, until it is told to end. */
export class Traffic {
  readonly counts = new Map<string, number>()
  #isEnding = false
  #clients: Promise<unknown> = Promise.resolve()

  begin(port: number, clients: number): void {
    this.#isEnding = false
    this.#clients = Promise.all(Array.from({ length: clients }, async () => this.#visit(port)))
  }

  /** Settles when the last visit is over. */
  async end(): Promise<void> {
    this.#isEnding = true
    await this.#clients
    agent.destroy()
  }

  async #visit(port: number): Promise<void> {
    while (!this.#isEnding) {
      const [name, visit] = chosen()
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
      await visit(port)
      await delay(10 * Math.random())
    }
  }
}

function chosen(): readonly [name: string, visit: Visit] {
  let left = Math.random() * VISITS.reduce((sum, [share]) => sum + share, 0)
  for (const [share, name, visit] of VISITS) {
    left -= share
    if (left < 0) return [name, visit]
  }
  return ['pages', async port => page(port, '/')]
}

async function page(port: number, path: string, body?: Buffer): Promise<void> {
  const over = Promise.withResolvers<void>()
  // One in five has no session yet, and one in five has one that the backend has begun.
  const headers = Math.random() < 0.2 ? { Cookie: `APP=${Math.floor(1e6 * Math.random())}` } : {}
  const sent = httpRequest({
    host: '127.0.0.1',
    port,
    agent,
    path,
    headers,
    method: body === undefined ? 'GET' : 'POST',
  })
  sent.on('response', message =>
    message
      .on('error', () => undefined)
      .resume()
      .on('close', over.resolve),
  )
  sent.on('error', () => over.resolve()).setTimeout(10_000, () => sent.destroy())
  sent.end(body)
  await over.promise
}

/** Sends this, and leaves without a word at some time. */
async function aborted(port: number, text: string): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  const closed = Promise.withResolvers<void>()
  socket.on('close', () => closed.resolve()).resume()
  socket.write(text)
  await delay(60 * Math.random())
  if (Math.random() < 0.5) socket.resetAndDestroy()
  else socket.destroy()
  await closed.promise
}

/** Takes a large response piece by piece, and leaves in the middle of it. */
async function slowReader(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  socket.pause().write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n')
  for (let count = 0; count < 20 && !socket.destroyed; count += 1) {
    socket.read()
    await delay(20)
  }
  socket.destroy()
}

async function webSocket(port: number): Promise<void> {
  const tunnel = new WebSocket(`ws://127.0.0.1:${port}/ws`, { handshakeTimeout: 3_000 })
  const closed = Promise.withResolvers<void>()
  tunnel.on('error', () => tunnel.terminate()).on('close', () => closed.resolve())
  const opened = await Promise.race([
    once(tunnel, 'open').then(
      () => true,
      () => false,
    ),
    closed.promise,
  ])
  for (let count = opened === true ? 0 : 5; count < 5 && tunnel.readyState === WebSocket.OPEN; count += 1) {
    tunnel.send('hello')
    await delay(20)
  }
  if (Math.random() < 0.5) tunnel.close()
  else tunnel.terminate()
  await Promise.race([closed.promise, delay(2_000)])
  tunnel.terminate()
}
