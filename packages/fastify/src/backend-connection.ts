import type { Affinity, Backend, BackendView, Pool } from '@limpet/core'
import { countedOpener, type Transport } from '@limpet/http-proxy/transport'
import { Client, type Dispatcher } from 'undici'

/** Idle timeout of a connection: less than that of common servers (5 s in Node). */
const IDLE_CONNECTION_MS = 4_000

/** The sender of a request, which gets the connection that carries it. */
export interface Sender {
  connection: BackendConnection | undefined
}

/** The options of a dispatch. undici passes the object on unchanged, and the sender with it. */
export interface SendOptions extends Dispatcher.DispatchOptions {
  readonly sender: Sender
  readonly servername: string
}

/**
 * One connection to a backend. It knows whether it was used before: a used one may be dying as the next request is sent.
 * It ends with its socket: undici would open another one, after an abort too, and keep a client for each connection of a
 * peak.
 */
export class BackendConnection extends Client {
  /** Responses that came by it since it was opened. */
  responses = 0
  /** Whether it has a request that is not over. */
  isBusy = false
  /** Whether it waits for a request, in its set. */
  isKept = false

  /** The set that it belongs to. */
  readonly #set: ConnectionSet | undefined

  constructor(origin: URL, options: Client.Options, set?: ConnectionSet) {
    super(origin, options)
    this.#set = set
    this.on('connect', connected).on('drain', drained).on('disconnect', ended).on('connectionError', ended)
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (isSendOptions(options)) options.sender.connection = this
    this.isBusy = true
    return super.dispatch(options, handler)
  }

  /** Its request is over: there was a response, or an error. */
  over(): void {
    this.isBusy = false
  }

  /** It has no socket any more. */
  ended(): void {
    // A request that was given to it as its socket closed goes by a new socket, and then it ends.
    if (!this.isBusy) this.destroy().catch(() => undefined)
    this.#set?.forget(this)
  }

  /** It waits for a request. */
  drained(): void {
    this.#set?.keep(this)
  }
}

/* Listeners of all connections: those of each would be held as long as a request waits for its response. */

function connected(this: BackendConnection): void {
  this.responses = 0
}

function drained(this: BackendConnection): void {
  this.drained()
}

function ended(this: BackendConnection): void {
  this.ended()
}

function isSendOptions(options: object): options is SendOptions {
  return 'sender' in options
}

/** The connections to each backend of a pool. */
export interface BackendConnections {
  readonly dispatch: Dispatch
  /** The same on a new connection that no other request uses. */
  readonly dispatchFresh: Dispatch
  /** Ends them all; whatever is still on its way fails. */
  readonly close: () => Promise<void>
}

type Dispatch = (
  backend: Backend,
  options: Omit<SendOptions, 'servername'>,
  handler: Dispatcher.DispatchHandler,
) => void

export function backendConnections({ pool }: Affinity, transport: Transport): BackendConnections {
  const open = new Map<Backend, ConnectionSet>()
  let members: readonly BackendView[] = []

  /** A backend that has left the pool finishes its requests; then its connections are closed. */
  function follow(): void {
    members = pool.backends
    const staying = new Set(members.map(view => view.backend))
    for (const [backend, connections] of open) {
      if (!staying.has(backend)) {
        open.delete(backend)
        connections.close()
      }
    }
  }

  function connectionsTo(backend: Backend): ConnectionSet {
    let connections = open.get(backend)
    if (connections === undefined) {
      connections = new ConnectionSet(...connectionOptions(pool, backend, transport))
      open.set(backend, connections)
    }
    return connections
  }

  return {
    dispatch(backend, options, handler) {
      if (members !== pool.backends) follow()
      // One name for all requests: undici would open a new connection whenever a client's Host differs.
      const sent: SendOptions = { ...options, servername: backend.id }
      connectionsTo(backend).take().dispatch(sent, handler)
    },
    dispatchFresh(backend, options, handler) {
      const connection = new BackendConnection(...connectionOptions(pool, backend, transport))
      const sent: SendOptions = { ...options, servername: backend.id }
      connection.dispatch(sent, handler)
      // Once it has responded.
      connection.close().catch(() => undefined)
    },
    async close() {
      const all = [...open.values()]
      open.clear()
      await Promise.all(all.map(async connections => connections.destroy()))
    },
  }
}

/**
 * The connections to one backend: as many as there are requests, because an invisible queue would be a delay. The one that
 * was used last is used next, so that the others become idle and end.
 */
class ConnectionSet {
  readonly #all = new Set<BackendConnection>()
  readonly #idle: BackendConnection[] = []
  readonly #origin: URL
  readonly #options: Client.Options
  #isClosing = false

  constructor(origin: URL, options: Client.Options) {
    this.#origin = origin
    this.#options = options
  }

  /** An idle connection, or a new one. */
  take(): BackendConnection {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      idle.isKept = false
      if (!idle.destroyed) return idle
    }
    const connection = new BackendConnection(this.#origin, this.#options, this)
    this.#all.add(connection)
    return connection
  }

  /** Ends those that are idle, and the others when they become idle. */
  close(): void {
    this.#isClosing = true
    for (const connection of this.#idle.splice(0)) connection.destroy().catch(() => undefined)
  }

  /** Ends them all; requests on their way fail. */
  async destroy(): Promise<void> {
    this.#isClosing = true
    await Promise.all(Array.from(this.#all, async connection => connection.destroy()))
  }

  /** A connection waits for a request. */
  keep(connection: BackendConnection): void {
    if (connection.destroyed || connection.isKept) return
    if (this.#isClosing) {
      connection.destroy().catch(() => undefined)
    } else {
      connection.isKept = true
      this.#idle.push(connection)
    }
  }

  /** A connection has lost its socket. */
  forget(connection: BackendConnection): void {
    if (!connection.destroyed) return
    this.#all.delete(connection)
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
  }
}

function connectionOptions(
  pool: Pool,
  backend: Backend,
  transport: Transport,
): [origin: URL, options: Client.Options] {
  const openSocket = countedOpener(pool, backend, transport)
  const { protocol, host } = backend.url
  const options: Client.Options = {
    pipelining: 1,
    keepAliveTimeout: IDLE_CONNECTION_MS,
    keepAliveMaxTimeout: IDLE_CONNECTION_MS,
    // The exchange has a timer of its own, exact to the millisecond.
    headersTimeout: 0,
    bodyTimeout: transport.idleTimeoutMs,
    connect: (_options, onSocket) => openSocket(onSocket),
  }
  return [new URL(protocol === 'unix:' ? 'http://localhost' : `${protocol}//${host}`), options]
}
