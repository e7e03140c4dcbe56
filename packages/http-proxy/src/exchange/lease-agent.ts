import type { ClientRequest } from 'node:http'
import type { Lease } from '@limpet/core'
import type { AttemptEvents } from './attempt-events.ts'
import type { BackendAgents } from '../backend/backend-agent.ts'
import { writeLines } from './request-lines.ts'

/**
 * The agent of an attempt's request, as node:http's client sees it. A request that gets no connection is kept: nothing
 * of it was written, so the next attempt can go on with it.
 */
export class LeaseAgent {
  readonly #lease: Lease
  readonly #agents: BackendAgents
  readonly #events: AttemptEvents
  #lines: string[] | undefined
  /** The request that got no connection, while the next attempt is decided on. */
  #unconnected: ClientRequest | undefined

  /** @throws the error of a policy's `forwardCookie` */
  constructor(lease: Lease, agents: BackendAgents, events: AttemptEvents) {
    this.#lease = lease
    this.#agents = agents
    this.#events = events
    this.#lines = lease.requestLines()
  }

  /** Node compares it with that of the request's options. */
  get protocol(): string {
    return this.#lease.backend.url.protocol === 'https:' ? 'https:' : 'http:'
  }

  get defaultPort(): number {
    return this.protocol === 'https:' ? 443 : 80
  }

  get keepAlive(): boolean {
    return true
  }

  get options(): object {
    return NO_OPTIONS
  }

  addRequest(request: ClientRequest): void {
    request.once('socket', () => this.#start(request))
    if (request.hasHeader('upgrade')) holdEnd(request)
    this.#connect(request)
  }

  /** Goes on with the request that got no connection, at the lease's backend. False when there is no such request. */
  goOn(): boolean {
    const request = this.#unconnected
    if (request === undefined) return false
    this.#unconnected = undefined
    // The Host may be the backend's.
    this.#lines = undefined
    this.#connect(request)
    return true
  }

  #start(request: ClientRequest): void {
    try {
      const lines = this.#lines ?? this.#lease.requestLines()
      this.#lines = undefined
      // The base path may be the backend's.
      request.path = this.#lease.target
      writeLines(request, [...lines, ...this.#events.framing])
    } catch (error) {
      request.destroy(error as Error)
      return
    }
    this.#events.started(request)
  }

  #connect(request: ClientRequest): void {
    const onUnreached = (error: Error): boolean => {
      if (request.destroyed) return false
      this.#unconnected = request
      this.#events.failed(error)
      const hasGoneOn = this.#unconnected !== request
      if (!hasGoneOn) this.#unconnected = undefined
      return hasGoneOn
    }
    const { backend } = this.#lease
    const agent = this.#events.wantsFresh ? this.#agents.freshAgent(backend) : this.#agents.agentOf(backend)
    agent.serve(request, onUnreached)
  }
}

const NO_OPTIONS = {}

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
