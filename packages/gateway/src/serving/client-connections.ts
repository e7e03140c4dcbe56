import type { Server } from 'node:http'
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import type { Logger } from 'pino'
import type { Limits } from '../config/config.ts'
import type { ConnectionCounts } from './connection-counts.ts'

const LOOK_MS = 1_000
/** Interval of the log lines about refused connections: one line each would be too much. */
const TELL_MS = 10_000

/** A connection whose client does not read its response. */
interface Stalled {
  readonly sent: number
  readonly sinceMs: number
}

/**
 * Enforces the limits on client connections that the server itself lacks: connections of all workers, those of one
 * address (nginx `limit_conn`), how long a client may read nothing of its response (nginx `send_timeout`), and how long
 * HTTP/2 may be idle. Tunnels have timeouts of their own.
 */
export class ClientConnections {
  #limits: Limits
  readonly #counts: ConnectionCounts
  readonly #log: Logger
  /** Every connection until it is closed: a server that closes waits for all of them. */
  readonly #open = new Set<Socket>()
  /** Those that have not been upgraded. */
  readonly #sockets = new Set<Socket>()
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #stalled = new WeakMap<Socket, Stalled>()
  #refused = 0
  #toldMs = -Infinity

  constructor(server: Server, counts: ConnectionCounts, limits: Limits, log: Logger) {
    this.#limits = limits
    this.#counts = counts
    this.#log = log
    const looking = setInterval(() => this.#look(), LOOK_MS).unref()
    server
      .on('connection', (socket: Socket) => {
        this.#hold(socket)
        this.#count(socket)
      })
      .on('upgrade', (_request, socket: Socket) => this.#sockets.delete(socket))
      .on('drop', (dropped?: { readonly remoteAddress?: string }) => this.#refuse(dropped?.remoteAddress))
      .on('close', () => clearInterval(looking))
      // HTTP/2 is idle when it has no stream, and it is the stream that stalls.
      .on('session', (session: ServerHttp2Session) => this.#keep(session))
      .on('stream', (stream: ServerHttp2Stream) => this.#watch(stream))
      // TLS has a socket of its own above the other.
      .on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) =>
        this.#follow(socket),
      )
  }

  /** Limits of new connections, and those of open ones that can change. */
  set limits(limits: Limits) {
    this.#limits = limits
    this.#counts.limits = limits
  }

  /** Tells HTTP/2 clients to send no more requests; their connections close with the open streams. */
  end(): void {
    for (const session of this.#sessions) session.close()
  }

  /** Closes all of them at once, tunnels and unfinished handshakes among them. */
  cut(): void {
    for (const socket of this.#open) socket.destroy()
  }

  #count(socket: Socket): void {
    const { remoteAddress } = socket
    const isPermitted = this.#counts.enter(remoteAddress)
    socket.once('close', () => this.#counts.leave(remoteAddress))
    if (isPermitted) return
    socket.destroy()
    this.#refuse(remoteAddress)
  }

  #hold(socket: Socket): void {
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
  }

  #follow(socket: Socket): void {
    this.#hold(socket)
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  #refuse(client?: string): void {
    this.#refused += 1
    const nowMs = performance.now()
    if (nowMs - this.#toldMs < TELL_MS) return
    this.#log.warn({ event: 'connections_refused', count: this.#refused, client })
    this.#toldMs = nowMs
    this.#refused = 0
  }

  #look(): void {
    const { sendTimeoutMs } = this.#limits
    if (sendTimeoutMs === 0) return
    const nowMs = performance.now()
    for (const socket of this.#sockets) {
      if (socket.writableLength === 0) {
        this.#stalled.delete(socket)
        continue
      }
      // Buffered bytes count as written, too.
      const sent = socket.bytesWritten - socket.writableLength
      const stalled = this.#stalled.get(socket)
      if (stalled?.sent !== sent) this.#stalled.set(socket, { sent, sinceMs: nowMs })
      else if (nowMs - stalled.sinceMs >= sendTimeoutMs) socket.destroy()
    }
  }

  #keep(session: ServerHttp2Session): void {
    let open = 0
    this.#sessions.add(session)
    session.once('close', () => this.#sessions.delete(session))
    session.on('stream', (stream: ServerHttp2Stream) => {
      open += 1
      stream.once('close', () => (open -= 1))
    })
    session.setTimeout(this.#limits.keepAliveMs)
    session.on('timeout', () => {
      if (open === 0) session.close()
    })
  }

  #watch(stream: ServerHttp2Stream): void {
    const { sendTimeoutMs } = this.#limits
    if (sendTimeoutMs === 0) return
    stream.setTimeout(sendTimeoutMs)
    stream.on('timeout', () => {
      if (stream.writableLength > 0) stream.close(constants.NGHTTP2_CANCEL)
    })
  }
}
