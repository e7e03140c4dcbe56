import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { BackendOptions } from '@limpet/core'
import { onTestFinished } from 'vitest'
import { listenOnNextPort } from './free-port.ts'
import { LiveExchange, type Script, type Seen } from './exchange.ts'
import { echo } from './scripts.ts'
import { testCertificate } from './tls.ts'

/** A server on a real socket that does what its script says, stopped when the test ends. */
export async function startBackend(
  id: string,
  script: Script = echo,
  setup: BackendSetup = {},
): Promise<Backend> {
  const backend = new Backend(id, script, setup)
  onTestFinished(() => backend.refuse())
  await backend.listen()
  return backend
}

/** Backends that `echo`. */
export async function startBackends<const Ids extends readonly string[]>(
  ...ids: Ids
): Promise<{ [Index in keyof Ids]: Backend }> {
  return (await Promise.all(ids.map(async id => startBackend(id)))) as { [Index in keyof Ids]: Backend }
}

export interface BackendSetup {
  /** With the certificate of `support/tls`. */
  readonly tls?: boolean
  /** At a path of the file system rather than a port. */
  readonly path?: string
  /** The base path in its url. */
  readonly base?: string
}

export class Backend {
  readonly id: string
  /** May be changed at any time. */
  script: Script
  /** Every request that has arrived. */
  readonly seen: Seen[] = []
  /** Connections that are open now. */
  readonly sockets = new Set<Socket>()
  /** Connections that were ever opened. */
  connections = 0
  /** Bytes that could not be parsed as HTTP: a gateway never sends any. */
  readonly malformed: string[] = []
  /** The names that were asked for by TLS. */
  readonly serverNames: unknown[] = []
  readonly #tls: boolean
  readonly #path: string | undefined
  readonly #base: string
  readonly #arrivals = new EventEmitter()
  #server: Server | undefined
  #port = 0
  #idleMs: number | undefined

  constructor(id: string, script: Script = echo, { tls = false, path, base = '' }: BackendSetup = {}) {
    this.id = id
    this.script = script
    this.#tls = tls
    this.#path = path
    this.#base = base
  }

  get port(): number {
    return this.#port
  }

  /** How it stands in a pool. */
  get options(): BackendOptions {
    const { id } = this
    if (this.#path !== undefined) return { id, url: `unix:${this.#path}` }
    return { id, url: `${this.#tls ? 'https' : 'http'}://127.0.0.1:${this.#port}${this.#base}` }
  }

  /** The request that arrived last. */
  get last(): Seen {
    const seen = this.seen.at(-1)
    if (seen === undefined) throw new Error(`backend ${this.id} has seen no request`)
    return seen
  }

  /** Takes connections, on the port of the last time if there was one. */
  async listen(): Promise<void> {
    // No timeouts of its own: only the script or the gateway ends a connection.
    const settings = { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0, maxHeaderSize: 256 * 1024 }
    const take = (request: IncomingMessage, response: ServerResponse): void => this.#take(request, response)
    const server = this.#tls
      ? createTlsServer({ ...settings, ...testCertificate }, take)
      : createServer(settings, take)
    this.prepare(server)
    server.on('connection', (socket: Socket) => this.#track(socket))
    server.on('secureConnection', (socket: TLSSocket) => this.serverNames.push(socket.servername))
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const { code = '' } = error
      // The end of a connection in the middle of a message is a client that left; all else is not HTTP.
      if (code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE') this.malformed.push(code)
      socket.destroy()
    })
    if (this.#path === undefined && this.#port === 0) {
      this.#port = await listenOnNextPort(server)
    } else {
      server.listen(this.#path === undefined ? { port: this.#port, host: '127.0.0.1' } : { path: this.#path })
      await once(server, 'listening')
    }
    this.#server = server
  }

  /** Resets every connection and refuses new ones, as the host of a killed process does. `listen` undoes it. */
  async refuse(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.sockets) socket.resetAndDestroy()
    await closed
  }

  /** Refuses new connections and keeps the busy ones, as a process does that shuts down gracefully. */
  stopAccepting(): void {
    this.#server?.close()
  }

  /** Closes every connection in good order, and takes new ones. */
  hangUp(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  /** From now on it closes a connection that was idle for `ms`, and announces nothing. */
  closeIdleAfter(ms: number): void {
    this.#idleMs = ms
  }

  /** The `count`-th request, once it has arrived. */
  async arrival(count = 1): Promise<Seen> {
    for (;;) {
      const seen = this.seen[count - 1]
      if (seen !== undefined) return seen
      await once(this.#arrivals, 'request', { signal: AbortSignal.timeout(15_000) })
    }
  }

  /** For what answers more than requests. */
  protected prepare(_server: Server): void {}

  #take(request: IncomingMessage, response: ServerResponse): void {
    const exchange = new LiveExchange(this.id, request, response)
    this.seen.push(exchange)
    response.once('finish', () => this.#closeIdle(request.socket))
    this.#arrivals.emit('request')
    // A script that fails is a mistake of the test: it surfaces as an unhandled rejection.
    void (async () => this.script(exchange))()
  }

  #track(socket: Socket): void {
    this.connections += 1
    this.sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => this.sockets.delete(socket))
  }

  #closeIdle(socket: Socket): void {
    if (this.#idleMs === undefined) return
    const { bytesRead } = socket
    setTimeout(() => {
      if (socket.bytesRead === bytesRead) socket.destroy()
    }, this.#idleMs)
  }
}
