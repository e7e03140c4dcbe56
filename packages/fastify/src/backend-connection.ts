import type { Affinity, Backend, BackendView } from '@limpet/core'
import { socketOpener, type Transport } from '@limpet/http-proxy/transport'
import { Client, type Dispatcher, Pool } from 'undici'

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

/** One connection to a backend, which knows whether it was used before: a used one may be dying as the next request is sent. */
export class BackendConnection extends Client {
  /** Responses that came by it since it was opened. */
  answers = 0

  constructor(origin: URL, options: Client.Options) {
    super(origin, options)
    this.on('connect', () => {
      this.answers = 0
    })
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (isSendOptions(options)) options.sender.connection = this
    return super.dispatch(options, handler)
  }
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
  const open = new Map<Backend, Pool>()
  let members: readonly BackendView[] = []

  /** A backend that has left the pool finishes its requests; then its connections are closed. */
  function follow(): void {
    members = pool.backends
    const staying = new Set(members.map(view => view.backend))
    for (const [backend, connections] of open) {
      if (!staying.has(backend)) {
        open.delete(backend)
        connections.close().catch(() => undefined)
      }
    }
  }

  function connectionsTo(backend: Backend): Pool {
    let connections = open.get(backend)
    if (connections === undefined) {
      connections = newConnections(backend, transport)
      open.set(backend, connections)
    }
    return connections
  }

  return {
    dispatch(backend, options, handler) {
      if (members !== pool.backends) follow()
      // One name for all requests: undici would open a new connection whenever a client's Host differs.
      const sent: SendOptions = { ...options, servername: backend.id }
      connectionsTo(backend).dispatch(sent, handler)
    },
    dispatchFresh(backend, options, handler) {
      const [origin, connecting] = connectionOptions(backend, transport)
      const connection = new BackendConnection(new URL(origin), connecting)
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

function newConnections(backend: Backend, transport: Transport): Pool {
  const [origin, options] = connectionOptions(backend, transport)
  return new Pool(origin, {
    ...options,
    // As many as there are requests: a hidden queue would be an unconfigured delay.
    connections: null,
    factory: (url, clientOptions) => new BackendConnection(url, clientOptions),
  })
}

function connectionOptions(
  backend: Backend,
  transport: Transport,
): [origin: string, options: Client.Options] {
  const openSocket = socketOpener(backend, transport)
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
  return [protocol === 'unix:' ? 'http://localhost' : `${protocol}//${host}`, options]
}
