import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { HeaderFields, Lease } from '@limpet/core'
import type { BackendAgents } from './backend-agent.ts'
import { rawFields } from './raw-fields.ts'

/** What an attempt tells of its way. */
export interface AttemptEvents {
  /** Whether it must go by a connection that was never used. */
  readonly wantsFresh: boolean
  /** A live connection has it. */
  started(request: ClientRequest): void
  /** No connection; true when the request has another backend to go to. */
  unreached(error: Error): boolean
  /** The head of an answer. */
  answered(response: IncomingMessage): void
  failed(error: Error): void
}

/** What writes the request's body, and ends it. */
export type WriteBody = (request: ClientRequest) => void

/**
 * One request as http-proxy-middleware is to see it: the head as core has decided it, and neither the client's
 * request nor its response. So nothing that it does (a header changed, a listener left, a socket destroyed) can
 * reach the app's objects, and a request can be made again.
 */
export interface Attempt {
  readonly events: AttemptEvents
  readonly agent: LeaseAgent
  readonly method: string
  readonly url: string
  readonly headers: HeaderFields
  readonly httpVersion: string
  readonly httpVersionMajor: number
  /** It looks whether the client is still there; who is asked here is not the client. */
  readonly socket: { readonly writable: true; readonly server?: object }
  on(event: string, listener: unknown): this
  pipe(request: ClientRequest): void
}

export function newAttempt(
  lease: Lease,
  method: string,
  agents: BackendAgents,
  events: AttemptEvents,
  writeBody: WriteBody,
  server?: object,
): Attempt {
  return {
    events,
    agent: new LeaseAgent(lease, agents, events),
    method,
    // Whatever it would make of the real one: the agent writes that as it is.
    url: '/',
    headers: requestFields(lease.requestLines()),
    httpVersion: '1.1',
    httpVersionMajor: 1,
    socket: server === undefined ? CLIENT : { ...CLIENT, server },
    on() {
      return this
    },
    pipe: writeBody,
  }
}

const CLIENT = { writable: true } as const

/** In place of a response: the exchange gives the answer itself, and watches the client itself. */
export const NO_RESPONSE = {
  destroyed: true,
  // Then httpxy does not listen for what becomes of the answer, either.
  finished: true,
  on() {
    return this
  },
} as object as ServerResponse

/**
 * Lines by name, as node:http's client takes them: of names that differ in their case alone it would write the last.
 * httpxy looks for `content-length`, and only in lower case.
 */
function requestFields(lines: readonly string[]): HeaderFields {
  const spellings = new Map([['content-length', 'content-length']])
  return rawFields(lines, name => {
    const lower = name.toLowerCase()
    const spelling = spellings.get(lower)
    if (spelling === undefined) spellings.set(lower, name)
    return spelling ?? name
  })
}

/** What node:http's client takes for an agent: it asks the lease who is next until somebody accepts the connection. */
export class LeaseAgent {
  readonly protocol = 'http:'
  readonly defaultPort = 80
  readonly keepAlive = true
  readonly maxSockets = Infinity
  readonly options = {}
  readonly #lease: Lease
  readonly #agents: BackendAgents
  readonly #events: AttemptEvents

  constructor(lease: Lease, agents: BackendAgents, events: AttemptEvents) {
    this.#lease = lease
    this.#agents = agents
    this.#events = events
  }

  addRequest(request: ClientRequest, options: object): void {
    request.path = this.#lease.target
    if (request.hasHeader('upgrade')) holdEnd(request)
    request.once('socket', () => this.#events.started(request))
    this.#connect(request, options)
  }

  #connect(request: ClientRequest, options: object): void {
    const onUnreached = (error: Error): boolean => {
      if (request.destroyed || !this.#events.unreached(error)) return false
      // The Host may be the backend's, and the head has not been written yet.
      const host = requestFields(this.#lease.requestLines())
      for (const [name, value] of Object.entries(host)) {
        if (name.toLowerCase() === 'host' && value !== undefined) request.setHeader(name, value)
      }
      this.#connect(request, options)
      return true
    }
    const { backend } = this.#lease
    const agent = this.#events.wantsFresh ? this.#agents.freshAgent(backend) : this.#agents.agentOf(backend)
    agent.serve(request, options, { onUnreached })
  }
}

/** httpxy ends a handshake at once, and that would fix a head that may have to name another backend yet. */
function holdEnd(request: ClientRequest): void {
  let isEnded = false
  request.end = () => {
    isEnded = true
    return request
  }
  request.once('socket', () => {
    Reflect.deleteProperty(request, 'end')
    if (isEnded) request.end()
  })
}
