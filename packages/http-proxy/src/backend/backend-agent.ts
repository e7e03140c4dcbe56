import { Agent, type ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Affinity, Backend, BackendView } from '@limpet/core'
import { countedOpener, type SocketOpener } from './backend-socket.ts'
import type { Transport } from '../transport-options.ts'

/** Idle timeout of a connection: less than that of common servers (5 s in Node). */
const IDLE_CONNECTION_MS = 4_000

/** A request must not meet the end of a connection that its backend has announced. Node has this margin, too. */
const CLOSING_MARGIN_MS = 1_000

/** Node's type has a socket even where there is an error. */
type OnSocket = (error: Error | null, socket: Duplex) => void

/** Called when no connection to the backend could be opened, before the request has its error. */
export type OnUnreached = () => void

interface Connecting {
  readonly servername: ''
  readonly onUnreached?: OnUnreached
}

/**
 * Node's internal methods of an agent. `createSocket` is the place between a connection's failure and the request
 * that gets the error; many agents in the registry override these two.
 */
interface AgentInternals {
  addRequest(request: ClientRequest, options: Connecting): void
  createSocket(request: ClientRequest, options: object, onSocket: OnSocket): void
  /** Its type says nothing of the result. */
  keepSocketAlive(socket: Duplex): boolean
}

const internals = Agent.prototype as object as AgentInternals

/** The connections to one backend. They are handed to requests only when they are connected. */
export class BackendAgent extends Agent {
  readonly #open: SocketOpener

  /** @param keepAlive false: each connection is used once */
  constructor(open: SocketOpener, keepAlive: boolean) {
    super({ keepAlive, timeout: IDLE_CONNECTION_MS })
    this.#open = open
  }

  /** All its connections are to one backend: there is nothing to tell apart, and names are made for each request. */
  override getName(): string {
    return ''
  }

  override createConnection(_options: object, onSocket?: OnSocket): null {
    this.#open((error, socket) => onSocket?.(error, socket as Duplex))
    return null
  }

  createSocket(request: ClientRequest, { onUnreached }: Connecting, onSocket: OnSocket): void {
    internals.createSocket.call(this, request, NO_OPTIONS, (error, socket) => {
      if (error !== null) onUnreached?.()
      onSocket(error, socket)
    })
  }

  /** @returns false for a connection that its backend is about to close, as undici does by the same field */
  override keepSocketAlive(socket: Duplex): boolean {
    if (!internals.keepSocketAlive.call(this, socket)) return false
    const announced = announcedMs(socket)
    if (announced === undefined) return true
    const left = announced - CLOSING_MARGIN_MS
    if (left <= 0) return false
    if (left < IDLE_CONNECTION_MS) (socket as Socket).setTimeout(left)
    return true
  }

  /** Gives `request` a connection: the idle one that was used last, or a new one. */
  serve(request: ClientRequest, onUnreached?: OnUnreached): void {
    this.#dropEnded()
    internals.addRequest.call(
      this,
      request,
      onUnreached === undefined ? NO_OPTIONS : { ...NO_OPTIONS, onUnreached },
    )
  }

  /** The end of a connection may be known, and its `close` not yet: until then Node would give it to a request. */
  #dropEnded(): void {
    const idle = this.freeSockets['']
    for (let last = idle?.at(-1); last !== undefined; last = idle?.at(-1)) {
      if (!last.destroyed && !last.readableEnded && last.writable) return
      idle?.pop()
    }
  }
}

/**
 * The time after which the backend closes the connection, by the Keep-Alive field of its last response (RFC 2068
 * §19.7.1.1). Node reads the parameter only where it is the first.
 */
function announcedMs(socket: object): number | undefined {
  const request: unknown = Reflect.get(socket, '_httpMessage')
  const response: unknown =
    typeof request === 'object' && request !== null ? Reflect.get(request, 'res') : undefined
  if (!(response instanceof IncomingMessage)) return undefined
  const seconds = /(?:^|[,;\s])timeout=(\d{1,9})/i.exec(String(response.headers['keep-alive'] ?? ''))?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1_000
}

/**
 * None of the request's own: a connection keeps a copy for life, and with it the head of the request that it was
 * opened for. The empty name spares the look for another.
 */
const NO_OPTIONS = { servername: '' } as const

/** The agents of a pool's backends. */
export interface BackendAgents {
  agentOf(backend: Backend): BackendAgent
  /** For a new connection that no other request uses. */
  freshAgent(backend: Backend): BackendAgent
  /** Closes idle connections; busy ones close after their requests. */
  close(): void
}

export function backendAgents({ pool }: Affinity, transport: Transport): BackendAgents {
  const agents = new Map<Backend, BackendAgent>()
  let members: readonly BackendView[] = []

  /** The idle connections of a backend that has left the pool are closed; the busy ones are when they become idle. */
  function follow(): void {
    members = pool.backends
    const staying = new Set(members.map(view => view.backend))
    for (const [backend, agent] of agents) {
      if (!staying.has(backend)) {
        agents.delete(backend)
        closeIdle(agent)
      }
    }
  }

  return {
    agentOf(backend) {
      if (members !== pool.backends) follow()
      let agent = agents.get(backend)
      if (agent === undefined) {
        agent = new BackendAgent(countedOpener(pool, backend, transport), true)
        agents.set(backend, agent)
      }
      return agent
    },
    freshAgent: backend => new BackendAgent(countedOpener(pool, backend, transport), false),
    close() {
      for (const agent of agents.values()) closeIdle(agent)
      agents.clear()
    },
  }
}

/** And lets none become idle again. */
function closeIdle(agent: BackendAgent): void {
  agent.maxFreeSockets = 0
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}
