import { createClient, type RedisClientOptions } from '@redis/client'
import type { Address, Endpoint } from './endpoint.ts'
import type { ParsedRedis } from './redis-options.ts'
import { within } from './within.ts'

/** How long a Sentinel, or the handshake with a server, may take. */
export const CONNECT_TIMEOUT_MS = 2_000

/** Names the server to connect to next. */
export class Locator {
  readonly #redis: ParsedRedis
  #turn = 0
  /** The node of a Cluster that serves the slot. */
  #movedTo: Address | undefined

  constructor(redis: ParsedRedis) {
    this.#redis = redis
  }

  /** Options for a client of the server that is next. Rejects when no Sentinel knows the primary. */
  async next(): Promise<RedisClientOptions> {
    const { client, sentinel, endpoints } = this.#redis
    const moved = this.#movedTo
    this.#movedTo = undefined
    if (client !== undefined) {
      const { url: _, ...options } = client.options
      const socket = moved === undefined ? options.socket : { ...options.socket, ...moved }
      return { ...options, ...(socket !== undefined && { socket }) } as RedisClientOptions
    }
    const endpoint = endpoints[this.#turn % endpoints.length]
    this.#turn += 1
    if (endpoint === undefined) throw new Error('no endpoint')
    if (sentinel === undefined) return this.#clientOptions(endpoint, moved)
    const primary = await this.#askSentinel(endpoint, sentinel)
    const { isTls, database } = endpoint
    return this.#clientOptions({ at: primary, isTls, database, username: undefined, password: undefined })
  }

  /** The server was a good one: it comes first again. */
  stay(): void {
    this.#turn -= 1
  }

  /** Another node of the Cluster serves the slot. An empty host means that of the node that says so. */
  moved({ host, port }: Address): void {
    this.#movedTo = { host, port }
  }

  #clientOptions(endpoint: Endpoint, moved?: Address): RedisClientOptions {
    const { username: ownUser, password: ownPassword, tls } = this.#redis
    const { isTls, database } = endpoint
    const username = ownUser ?? endpoint.username
    const password = ownPassword ?? endpoint.password
    return {
      socket: socketTo(moved ?? endpoint.at, isTls, tls),
      database,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
    }
  }

  /** @see https://redis.io/docs/latest/develop/reference/sentinel-clients/ */
  async #askSentinel(endpoint: Endpoint, name: string): Promise<Address> {
    const { username, password } = endpoint
    const sentinel = createClient({
      RESP: 2,
      socket: {
        ...socketTo(endpoint.at, endpoint.isTls, this.#redis.tls),
        connectTimeout: CONNECT_TIMEOUT_MS,
        reconnectStrategy: false,
      } as NonNullable<RedisClientOptions['socket']>,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      disableClientInfo: true,
    })
    sentinel.on('error', () => {})
    try {
      const asked = sentinel
        .connect()
        .then(async () => sentinel.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]))
      const reply: unknown = await within(CONNECT_TIMEOUT_MS, asked)
      if (!Array.isArray(reply)) throw new Error(`the Sentinel knows no primary of the name ${name}`)
      const [host, port] = reply.map(String)
      return { host: host ?? '', port: Number(port) }
    } finally {
      sentinel.destroy()
    }
  }
}

type Socket = NonNullable<RedisClientOptions['socket']>

function socketTo(at: Address | string, isTls: boolean, tls: ParsedRedis['tls']): Socket {
  if (typeof at === 'string') return { path: at, tls: false }
  return isTls ? { ...tls, ...at, tls: true } : { ...at, tls: false }
}
