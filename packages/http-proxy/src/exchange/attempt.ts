import type { ClientRequest, ServerResponse } from 'node:http'
import type { HeaderFields, Lease } from '@limpet/core'
import type { AttemptEvents } from './attempt-events.ts'
import type { BackendAgents } from '../backend/backend-agent.ts'
import { LeaseAgent } from './lease-agent.ts'

/** Writes the request's body, and ends it. */
export type WriteBody = (request: ClientRequest) => void

/**
 * One request as http-proxy-middleware is to see it: neither the client's request nor its response. So nothing that it
 * does (a header changed, a listener left, a socket destroyed) can reach the app's objects, and a request can be made
 * again. Method, target and the backend's address are the real ones, for tools that trace requests. The agent writes
 * the head.
 */
export interface Attempt {
  readonly events: AttemptEvents
  readonly agent: LeaseAgent
  readonly method: string
  readonly url: string
  /** The backend's, for http-proxy-middleware to name in its request. */
  readonly address: BackendAddress
  /** Fields that httpxy has to find in a head; for most requests none. */
  readonly headers: HeaderFields
  readonly httpVersion: string
  readonly httpVersionMajor: number
  /** httpxy checks whether the client is still there; here it checks this placeholder. */
  readonly socket: { readonly writable: true; readonly server?: object }
  on(event: string, listener: unknown): Attempt
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
    url: parsable(lease.target),
    address: addressOf(lease.backend.url),
    headers: {},
    httpVersion: '1.1',
    httpVersionMajor: 1,
    socket: server === undefined ? CLIENT : { ...CLIENT, server },
    on: stay,
    pipe(request) {
      takeOver(request, events)
      writeBody(request)
    },
  }
}

/**
 * httpxy parses the target as a URL, where `//` begins an authority: `GET //` would be an error. The backend gets the
 * target from the agent, byte for byte.
 */
function parsable(target: string): string {
  return target.startsWith('//') ? '/' : target
}

/** A backend's address, as httpxy takes it. */
export interface BackendAddress {
  readonly protocol: string
  readonly host: string
  readonly hostname: string
  readonly port: string
  readonly socketPath?: string
}

/** Without the base path, which is in the request's target already; an address of IPv6 without its brackets. */
function addressOf({ protocol, hostname, port, pathname }: URL): BackendAddress {
  if (protocol === 'unix:') return { ...LOCAL, socketPath: decodeURIComponent(pathname) }
  const name = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return { protocol, host: name, hostname: name, port }
}

const LOCAL = { protocol: 'http:', host: 'localhost', hostname: 'localhost', port: '' } as const

const CLIENT = { writable: true } as const

function stay(this: Attempt): Attempt {
  return this
}

/**
 * After httpxy has done its work, its listeners would only forward events, and they keep all its objects alive. They
 * are the last ones: tracing tools attach their listeners earlier.
 */
function takeOver(request: ClientRequest, events: AttemptEvents): void {
  request.removeAllListeners('socket')
  for (const event of ['response', 'error']) {
    const last = request.rawListeners(event).at(-1)
    if (last !== undefined) request.off(event, last as () => void)
  }
  request.on('response', response => events.responded(response)).on('error', error => events.failed(error))
}

/**
 * In place of a response: the exchange gives the response itself, and watches the client itself. It is one that has
 * closed, so that httpxy listens for nothing, and http-proxy-middleware waits for nothing and keeps nothing.
 */
export const NO_RESPONSE = {
  writableFinished: true,
  on(event: string, listener: () => void) {
    if (event === 'close') listener()
    return this
  },
} as object as ServerResponse
