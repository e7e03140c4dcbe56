import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Affinity } from '@limpet/core'
import {
  CookieCollisionError,
  cookiesCollide,
  cookiesCollideAcrossHosts,
  publishRefused,
} from '@limpet/core/adapter'
import { wireLine } from '../exchange/wire-line.ts'

/** Sites of one server that are remembered: an application has few, and a client can make up any number. */
const MAX_SITES = 256
const MAX_SITE_LENGTH = 1_024

/** Which pools one server has, in the order of their first requests, and which of them each site has. */
interface Owners {
  readonly affinities: Set<Affinity>
  readonly bySite: Map<string, Set<Affinity>>
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
 *
 * A client can write any Host, and must not claim the site of another pool by it. So a site is all by which
 * applications choose a pool: address, TLS name, Host and forwarded host. A request with one of them forged comes to
 * a site of its own, unless the application chooses by another of them, and then the pool is the same.
 */
export class CookieOwner {
  readonly #affinity: Affinity
  #server: object | undefined
  #owners: Owners = { affinities: new Set(), bySite: new Map() }
  /** The parts of the site of the last request: most servers have one. */
  #last: SiteParts | undefined

  constructor(affinity: Affinity) {
    this.#affinity = affinity
  }

  /** @throws CookieCollisionError for a request whose site another pool has had first, with a cookie of this name */
  check(request: IncomingMessage): void {
    if (this.#affinity.cookies.length === 0) return
    // Node keeps it on every socket that a server has accepted, without saying so in its types.
    const server: unknown = Reflect.get(request.socket, 'server')
    if (typeof server !== 'object' || server === null) return
    if (server === this.#server && isAt(this.#last, request)) return
    if (compared.has(server)) return
    this.#join(server)
    const parts = sitePartsOf(request)
    this.#own(siteOf(request, parts), request)
    this.#last = parts
  }

  /** Its cookies may be another pool's from now on. */
  close(): void {
    this.#leave()
    this.#server = undefined
    this.#last = undefined
  }

  #join(server: object): void {
    if (server === this.#server) return
    this.#leave()
    this.#server = server
    this.#owners = OWNERS.get(server) ?? { affinities: new Set(), bySite: new Map() }
    this.#owners.affinities.add(this.#affinity)
    OWNERS.set(server, this.#owners)
  }

  #leave(): void {
    const { affinities, bySite } = this.#owners
    affinities.delete(this.#affinity)
    for (const owners of bySite.values()) owners.delete(this.#affinity)
  }

  #own(site: string, request: IncomingMessage): void {
    const { affinities, bySite } = this.#owners
    // The same for all sites, so no client can have caused it. The first pool is not refused.
    for (const other of affinities) {
      if (other === this.#affinity) break
      this.#compare(other, cookiesCollideAcrossHosts, request)
    }
    let owners = bySite.get(site)
    if (owners?.has(this.#affinity) === true) return
    for (const other of owners ?? []) this.#compare(other, cookiesCollide, request)
    if (owners === undefined) {
      if (bySite.size >= MAX_SITES || site.length > MAX_SITE_LENGTH) return
      owners = new Set()
      bySite.set(site, owners)
    }
    owners.add(this.#affinity)
  }

  #compare(other: Affinity, collide: typeof cookiesCollide, request: IncomingMessage): void {
    const { cookies, pool } = this.#affinity
    if (isSamePool(this.#affinity, other)) return
    if (cookies.some(cookie => other.cookies.some(theirs => collide(cookie, theirs))))
      throw collision(pool.name, other.pool.name, request)
  }
}

/** The parts of a request by which applications choose a pool. */
interface SiteParts {
  readonly host: unknown
  readonly forwardedHost: unknown
  readonly forwarded: unknown
  readonly servername: unknown
  readonly address: unknown
}

function sitePartsOf({ headers, socket }: IncomingMessage): SiteParts {
  return {
    host: headers.host,
    forwardedHost: headers['x-forwarded-host'],
    forwarded: headers.forwarded,
    servername: (socket as TLSSocket).servername,
    address: socket.localAddress,
  }
}

function isAt(last: SiteParts | undefined, { headers, socket }: IncomingMessage): boolean {
  return (
    last !== undefined &&
    headers.host === last.host &&
    headers['x-forwarded-host'] === last.forwardedHost &&
    headers.forwarded === last.forwarded &&
    (socket as TLSSocket).servername === last.servername &&
    socket.localAddress === last.address
  )
}

/** The Host is the client's: an application may have put that of a backend in its place. */
function siteOf({ rawHeaders }: IncomingMessage, parts: SiteParts): string {
  const { host, forwardedHost, forwarded, servername, address } = parts
  const all = [wireLine(rawHeaders, 'host') ?? host, forwardedHost, forwarded, servername, address]
  return all.join('\n').toLowerCase()
}

/** Published as core publishes the requests that it refuses. */
function collision(pool: string, other: string, request: IncomingMessage): CookieCollisionError {
  const error = new CookieCollisionError(pool, other)
  publishRefused(pool, request, error)
  return error
}

/** Middleware may be made twice from the same options. Both then read the same cookies. */
function isSamePool({ pool: a }: Affinity, { pool: b }: Affinity): boolean {
  return a.name === b.name && a.backends.every(({ backend }) => b.find(backend.id) !== undefined)
}
