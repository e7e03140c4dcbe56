import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { Worker } from 'node:worker_threads'
import { describe, expect, it, onTestFinished } from 'vitest'
import { CONNECT_TIMEOUT, socketOpener } from './backend-socket.ts'
import { parseTransport, type TransportOptions } from '../transport-options.ts'

type Opened = readonly [error: (Error & { code?: string }) | null, socket: Socket | null]

/** Opens a socket as an exchange would, and reports the result. */
async function open(url: string, options: TransportOptions = {}): Promise<Opened> {
  const transport = parseTransport(options)
  const opened = await new Promise<Opened>(resolve => {
    socketOpener({ id: 'a', url: new URL(url) }, transport)((...result) => resolve(result))
  })
  onTestFinished(() => void opened[1]?.destroy())
  return opened
}

/**
 * Expects that it gives up after `ms`, or after twice that time where its timer was late. The limit is a row of plain
 * timers that has just been started as well: on a busy machine they are late, too.
 */
async function expectConnectTimeout(url: string, ms: number): Promise<void> {
  const begun = performance.now()
  const opening = open(url, { timeouts: { connect: ms } })
  const limit = delay(ms)
    .then(async () => delay(ms))
    .then(async () => delay(100))
  const opened = await Promise.race([opening, limit])
  if (opened === undefined) throw new Error(`still waiting after ${performance.now() - begun} ms`)
  expect(performance.now() - begun).toBeGreaterThan(ms - 5)
  expect([opened[0]?.code, opened[1]]).toEqual([CONNECT_TIMEOUT, null])
}

async function listen(server: Server, where: object = { port: 0, host: '127.0.0.1' }): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', socket => sockets.add(socket.on('error', () => {})))
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  server.listen(where)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A port that neither accepts nor refuses: a full queue before a thread that sleeps for good. */
async function blackHole(): Promise<number> {
  const sleeper = new Worker(
    `const server = require('node:net').createServer()
     server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       require('node:worker_threads').parentPort.postMessage(server.address().port)
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
     })`,
    { eval: true },
  )
  onTestFinished(async () => void (await sleeper.terminate()))
  const [port] = (await once(sleeper, 'message')) as [number]
  for (let isFull = false; !isFull;) {
    const filler = connect(port, '127.0.0.1').on('error', () => {})
    onTestFinished(() => void filler.destroy())
    isFull = await once(filler, 'connect', { signal: AbortSignal.timeout(150) }).then(
      () => false,
      () => true,
    )
  }
  return port
}

describe('a socket to a backend', () => {
  it('is handed over when it is connected', async () => {
    const server = createServer(socket => socket.end('hello'))
    const [error, socket] = await open(`http://127.0.0.1:${await listen(server)}`)
    expect([error, socket?.connecting, socket?.readyState]).toEqual([null, false, 'open'])
    const [said] = socket === null ? [] : await once(socket, 'data')
    expect(String(said)).toBe('hello')
  })

  it('belongs to its receiver after the hand-over, errors included', async () => {
    const [, socket] = await open(`http://127.0.0.1:${await listen(createServer())}`)
    expect(socket?.listenerCount('error')).toBe(0)
  })

  it('may go to a path', async () => {
    const path = join(tmpdir(), `limpet ${process.pid} ${Math.random().toString(36).slice(2)}.sock`)
    await listen(
      createServer(socket => socket.end('hello')),
      { path },
    )
    const [error, socket] = await open(`unix:${path}`)
    expect(error).toBeNull()
    const [said] = socket === null ? [] : await once(socket, 'data')
    expect(String(said)).toBe('hello')
  })

  it('is an error where no server listens', async () => {
    const server = createServer()
    const port = await listen(server)
    await new Promise(resolve => {
      server.close(resolve)
    })
    const [error, socket] = await open(`http://127.0.0.1:${port}`)
    expect([error?.code, socket]).toEqual(['ECONNREFUSED', null])
  })

  it.each([100, 300, 700])('is an error after %i ms without a connection', async ms => {
    await expectConnectTimeout(`http://127.0.0.1:${await blackHole()}`, ms)
  })

  it('is an error after that time where TLS is never agreed', async () => {
    await expectConnectTimeout(`https://127.0.0.1:${await listen(createServer())}`, 200)
  })

  it('is no error where this process stood still for that time', async () => {
    const url = `http://127.0.0.1:${await listen(createServer())}`
    const opening = open(url, { timeouts: { connect: 50 } })
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    const [error, socket] = await opening
    expect([error, socket?.readyState]).toEqual([null, 'open'])
  })

  it('is waited for when there is no such time', async () => {
    const opening = open(`http://127.0.0.1:${await blackHole()}`, { timeouts: { connect: 0 } })
    expect(await Promise.race([opening, delay(400, 'waiting')])).toBe('waiting')
  })

  it('outlives the time that its connecting might have taken', async () => {
    const [, socket] = await open(`http://127.0.0.1:${await listen(createServer())}`, {
      timeouts: { connect: 50 },
    })
    // The test needs more than that time.
    await delay(150)
    expect([socket?.destroyed, socket?.readyState]).toEqual([false, 'open'])
  })

  describe('with TLS', () => {
    /** The names that were asked for by it. There is no certificate, so nothing more comes of it. */
    async function namesAsked(url: (port: number) => string, tls: TransportOptions['tls'] = {}) {
      const names: string[] = []
      const server = createTlsServer({
        SNICallback: (name, done) => {
          names.push(name)
          done(null)
        },
      })
      server.on('tlsClientError', () => {})
      const [error, socket] = await open(url(await listen(server)), { tls })
      expect([error === null, socket]).toEqual([false, null])
      return names
    }

    it("asks for the backend's name", async () => {
      expect(await namesAsked(port => `https://localhost:${port}`)).toEqual(['localhost'])
    })

    it('asks for no name where there is but an address', async () => {
      expect(await namesAsked(port => `https://127.0.0.1:${port}`)).toEqual([])
    })

    it.each(['localhost', '127.0.0.1'])('asks %s for the name that is set', async host => {
      const names = await namesAsked(port => `https://${host}:${port}`, { servername: 'app.internal' })
      expect(names).toEqual(['app.internal'])
    })

    it('is an error with a server that speaks none', async () => {
      const server = createServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
      const [error, socket] = await open(`https://127.0.0.1:${await listen(server)}`)
      expect([error === null, socket]).toEqual([false, null])
    })
  })
})
