import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Affinity } from '@limpet/core'
import type { FastifyInstance } from 'fastify'

/** A WebSocket handshake on its way through the application's hooks. */
export interface Handshake {
  readonly socket: Socket
  readonly head: Buffer
}

/** The state that all registrations on one server share. */
export interface ServerState {
  /** Two pools must not fight over one cookie. */
  readonly affinities: Set<Affinity>
  /** The prefixes of routes that take WebSocket handshakes. */
  readonly upgradePrefixes: Set<string>
  /** By the message of node:http, which is all that `@fastify/websocket` leaves of a handshake, too. */
  readonly handshakes: WeakMap<IncomingMessage, Handshake>
}

/** Scopes of Fastify inherit from the scopes around them. Registrations side by side have only the server in common. */
const STATES = new WeakMap<object, ServerState>()

export function serverState({ server }: Pick<FastifyInstance, 'server'>): ServerState {
  let state = STATES.get(server)
  if (state === undefined) {
    state = { affinities: new Set(), upgradePrefixes: new Set(), handshakes: new WeakMap() }
    STATES.set(server, state)
  }
  return state
}
