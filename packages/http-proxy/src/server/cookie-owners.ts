import { channel } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { type Affinity, CookieCollisionError, cookiesCollide, type RefusedEvent } from '@limpet/core'

/** Hosts of one server that are remembered: an application has few, and a client can make up any number. */
const MAX_HOSTS = 256

/** Which pools one server has, and which of them each host has. */
interface Owners {
  readonly affinities: Set<Affinity>
  readonly byHost: Map<string, Set<Affinity>>
}

/** Of each server. Middleware has no server before its first request. */
const OWNERS = new WeakMap<object, Owners>()

/** Servers whose owner has compared the cookies of its pools. */
const compared = new WeakSet<object>()

/** For a server whose pools cannot collide, because its owner has compared their cookies. */
export function cookiesCompared(server: object): void {
  compared.add(server)
}

/**
 * Keeps two pools of one server from writing one cookie for one host: each would take the other's for a forgery, and
 * place the browser's session anew with every request.
 */
export class CookieOwner {
  readonly #affinity: Affinity
  #server: object | undefined
  #owners: Owners = { affinities: new Set(), byHost: new Map() }
  /** The host of the last request: most servers have one. */
  #host: string | undefined

  constructor(affinity: Affinity) {
    this.#affinity = affinity
  }

  /** @throws CookieCollisionError for a request whose host another pool has had first, with a cookie of this name */
  check(request: IncomingMessage): void {
    if (this.#affinity.cookies.length === 0) return
    // Node keeps it on every socket that a server has accepted, without saying so in its types.
    const server: unknown = Reflect.get(request.socket, 'server')
    if (typeof server !== 'object' || server === null) return
    const host = request.headers.host ?? ''
    if (server === this.#server && host === this.#host) return
    if (compared.has(server)) return
    this.#join(server)
    this.#own(host)
    this.#host = host
  }

  /** Its cookies may be another pool's from now on. */
  close(): void {
    this.#leave()
    this.#server = undefined
    this.#host = undefined
  }

  #join(server: object): void {
    if (server === this.#server) return
    this.#leave()
    this.#server = server
    this.#owners = OWNERS.get(server) ?? { affinities: new Set(), byHost: new Map() }
    this.#owners.affinities.add(this.#affinity)
    OWNERS.set(server, this.#owners)
  }

  #leave(): void {
    const { affinities, byHost } = this.#owners
    affinities.delete(this.#affinity)
    for (const owners of byHost.values()) owners.delete(this.#affinity)
  }

  #own(host: string): void {
    const { byHost } = this.#owners
    const name = host.toLowerCase()
    let owners = byHost.get(name)
    if (owners?.has(this.#affinity) === true) return
    for (const other of owners ?? []) {
      if (collide(this.#affinity, other)) throw collision(this.#affinity.pool.name, other.pool.name)
    }
    if (owners === undefined) {
      if (byHost.size >= MAX_HOSTS) return
      owners = new Set()
      byHost.set(name, owners)
    }
    owners.add(this.#affinity)
  }
}

/** Published as core publishes the requests that it refuses. */
const refused = channel('limpet:refused')

function collision(pool: string, other: string): CookieCollisionError {
  const error = new CookieCollisionError(pool, other)
  const event: RefusedEvent = { pool, code: error.code, statusCode: error.statusCode }
  if (refused.hasSubscribers) refused.publish(event)
  return error
}

function collide(a: Affinity, b: Affinity): boolean {
  if (isSamePool(a, b)) return false
  return a.cookies.some(cookie => b.cookies.some(other => cookiesCollide(cookie, other)))
}

/** Middleware may be made twice from the same options. Both then read the same cookies. */
function isSamePool({ pool: a }: Affinity, { pool: b }: Affinity): boolean {
  return a.name === b.name && a.backends.every(({ backend }) => b.find(backend.id) !== undefined)
}
