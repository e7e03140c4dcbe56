import type { ClientRequest } from 'node:http'
import type { Lease } from '@limpet/core'
import type { AttemptEvents } from './attempt-events.ts'
import type { BackendAgents } from '../backend/backend-agent.ts'
import { writeLines } from './request-lines.ts'

/**
 * The agent of an attempt's request, as node:http's client sees it. Each attempt has a request of its own, so that tools
 * that trace requests see every attempt. The agent writes the head once a connection is open.
 */
export class LeaseAgent {
  readonly #lease: Lease
  readonly #agents: BackendAgents
  readonly #events: AttemptEvents
  /** Absent once the head is written: a request may wait for its response for long. */
  #lines: string[] | undefined

  /** @throws the error of a policy's `forwardHeaders` */
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
    const { backend } = this.#lease
    const agent = this.#events.wantsFresh ? this.#agents.freshAgent(backend) : this.#agents.agentOf(backend)
    if (request.hasHeader('upgrade')) {
      holdEnd(request)
      agent.serve(request, () => reportError(request, this.#events))
    } else {
      agent.serve(request)
    }
  }

  #start(request: ClientRequest): void {
    try {
      // http-proxy-middleware got a target that it can parse.
      request.path = this.#lease.target
      const all = this.#lines ?? []
      this.#lines = undefined
      for (const part of this.#events.framing) all.push(part)
      const edit = this.#events.editLines
      writeLines(request, edit === undefined ? all : [...edit(all, request)])
    } catch (error) {
      if (request.hasHeader('upgrade')) reportError(request, this.#events)
      request.destroy(error as Error)
      return
    }
    this.#events.started(request)
  }
}

const NO_OPTIONS = {}

/** httpxy ends a handshake at once, and that would fix a head before tracing tools have added their fields. */
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

/** On the error of a handshake httpxy ends the client's socket, and another backend may still take the handshake. */
function reportError(request: ClientRequest, events: AttemptEvents): void {
  // httpxy's listener is the last: tracing tools attach theirs earlier.
  const last = request.rawListeners('error').at(-1)
  if (last !== undefined) request.off('error', last as () => void)
  request.on('error', error => events.failed(error))
}
